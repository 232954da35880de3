"""Workflows of the right shape whose parts do not go together."""

from tests.unit.sidecar.engine.malformed import HEAD, Row, circle, reference, step

ROWS = (
    Row(
        "unknown input",
        reference("${workflow.inputs.foldr}"),
        (
            (
                'wf.yaml:8:56: error: ${workflow.inputs.foldr}: there is no input "foldr"; did '
                'you mean "folder"?'
            ),
        ),
    ),
    Row(
        "unknown inputs in one text",
        reference("${workflow.inputs.a} ${workflow.inputs.b}"),
        (
            'wf.yaml:8:56: error: ${workflow.inputs.a}: there is no input "a"',
            'wf.yaml:8:56: error: ${workflow.inputs.b}: there is no input "b"',
        ),
    ),
    Row(
        "unknown step",
        reference("${steps.cnt.outputs.total}"),
        (
            (
                'wf.yaml:8:56: error: ${steps.cnt.outputs.total}: there is no step "cnt"; did '
                'you mean "count"?'
            ),
        ),
    ),
    Row(
        "undeclared output",
        reference("${steps.count.outputs.totl}"),
        (
            (
                'wf.yaml:8:56: error: ${steps.count.outputs.totl}: the step "count" declares '
                'no output "totl", only total, files; did you mean "total"?'
            ),
        ),
    ),
    Row(
        "output by index",
        reference("${steps.free.outputs[0]}"),
        (
            (
                "wf.yaml:8:56: error: ${steps.free.outputs[0]}: outputs have names; write "
                "outputs.NAME"
            ),
        ),
    ),
    Row(
        "member of an output step",
        reference("${steps.say.outputs.mesage}"),
        (
            (
                'wf.yaml:8:56: error: ${steps.say.outputs.mesage}: the step "say" declares no '
                'output "mesage", only message; did you mean "message"?'
            ),
        ),
    ),
    Row(
        "member of a message",
        reference("${steps.say.outputs.message.length}"),
        (
            (
                "wf.yaml:8:56: error: ${steps.say.outputs.message.length}: message is text and "
                "holds nothing by name"
            ),
        ),
    ),
    Row(
        "its own output",
        reference("${steps.last.outputs.x}"),
        (("wf.yaml:8:56: error: ${steps.last.outputs.x}: a step cannot use its own outputs"),),
    ),
    Row(
        "inputs without workflow",
        reference("${inputs.folder}"),
        (
            (
                'wf.yaml:8:56: error: "${inputs.folder}" is no reference; write '
                "${workflow.inputs.NAME}, ${steps.ID.outputs.NAME} or ${env.NAME}; did you "
                'mean "${workflow.inputs.folder}"?'
            ),
        ),
    ),
    Row(
        "workflow without inputs",
        reference("${workflow.folder}"),
        (
            (
                'wf.yaml:8:56: error: "${workflow.folder}" is no reference; write '
                "${workflow.inputs.NAME}, ${steps.ID.outputs.NAME} or ${env.NAME}; did you "
                'mean "${workflow.inputs.folder}"?'
            ),
        ),
    ),
    Row(
        "input for inputs",
        reference("${workflow.input.folder}"),
        (
            (
                'wf.yaml:8:56: error: "${workflow.input.folder}" is no reference; write '
                "${workflow.inputs.NAME}, ${steps.ID.outputs.NAME} or ${env.NAME}; did you "
                'mean "${workflow.inputs.folder}"?'
            ),
        ),
    ),
    Row(
        "step for steps",
        reference("${step.count.outputs.total}"),
        (
            (
                'wf.yaml:8:56: error: "${step.count.outputs.total}" is no reference; write '
                "${workflow.inputs.NAME}, ${steps.ID.outputs.NAME} or ${env.NAME}; did you "
                'mean "${steps.count.outputs.total}"?'
            ),
        ),
    ),
    Row(
        "output for outputs",
        reference("${steps.count.output.total}"),
        (
            (
                'wf.yaml:8:56: error: "${steps.count.output.total}" is no reference; write '
                "${workflow.inputs.NAME}, ${steps.ID.outputs.NAME} or ${env.NAME}; did you "
                'mean "${steps.count.outputs.total}"?'
            ),
        ),
    ),
    Row(
        "no outputs",
        reference("${steps.count.total}"),
        (
            (
                'wf.yaml:8:56: error: "${steps.count.total}" is no reference; write '
                "${workflow.inputs.NAME}, ${steps.ID.outputs.NAME} or ${env.NAME}; did you "
                'mean "${steps.count.outputs.total}"?'
            ),
        ),
    ),
    Row(
        "a step alone",
        reference("${steps.count}"),
        (
            (
                'wf.yaml:8:56: error: "${steps.count}" is no reference; write '
                "${workflow.inputs.NAME}, ${steps.ID.outputs.NAME} or ${env.NAME}; did you "
                'mean "${steps.count.outputs}"?'
            ),
        ),
    ),
    Row(
        "a variable of a shell",
        reference("${HOME}"),
        (
            (
                'wf.yaml:8:56: error: "${HOME}" is no reference; write '
                "${workflow.inputs.NAME}, ${steps.ID.outputs.NAME} or ${env.NAME}; did you "
                'mean "${env.HOME}"?'
            ),
        ),
    ),
    Row(
        "spaces",
        reference("${ workflow.inputs.folder }"),
        (
            (
                'wf.yaml:8:56: error: "${ workflow.inputs.folder }" is no reference; write '
                "${workflow.inputs.NAME}, ${steps.ID.outputs.NAME} or ${env.NAME}; did you "
                'mean "${workflow.inputs.folder}"?'
            ),
        ),
    ),
    Row(
        "an expression",
        reference("${workflow.inputs.folder || x}"),
        (
            (
                'wf.yaml:8:56: error: "${workflow.inputs.folder || x}" is no reference; write '
                "${workflow.inputs.NAME}, ${steps.ID.outputs.NAME} or ${env.NAME}"
            ),
        ),
    ),
    Row(
        "an unknown namespace",
        reference("${secrets.token}"),
        (
            (
                'wf.yaml:8:56: error: "${secrets.token}" is no reference; write '
                "${workflow.inputs.NAME}, ${steps.ID.outputs.NAME} or ${env.NAME}"
            ),
        ),
    ),
    Row(
        "an empty reference",
        reference("${}"),
        (
            (
                'wf.yaml:8:56: error: "${}" is no reference; write ${workflow.inputs.NAME}, '
                "${steps.ID.outputs.NAME} or ${env.NAME}"
            ),
        ),
    ),
    Row(
        "an unclosed reference",
        reference("${workflow.inputs.folder"),
        (
            (
                'wf.yaml:8:56: error: "${workflow.inputs.folder" has no closing }; write $${ '
                "for a literal ${"
            ),
        ),
    ),
    Row(
        "a nested reference",
        reference("${steps.${workflow.inputs.folder}.outputs.x}"),
        (
            (
                "wf.yaml:8:56: error: references cannot be nested: "
                '"${steps.${workflow.inputs.folder}"'
            ),
        ),
    ),
    Row(
        "a negative index",
        reference("${steps.count.outputs.files[-1]}"),
        (
            (
                'wf.yaml:8:56: error: "${steps.count.outputs.files[-1]}" is no reference; '
                "write ${workflow.inputs.NAME}, ${steps.ID.outputs.NAME} or ${env.NAME}"
            ),
        ),
    ),
    Row(
        "an index of eleven digits",
        reference("${steps.count.outputs.files[99999999999]}"),
        (
            (
                'wf.yaml:8:56: error: "${steps.count.outputs.files[99999999999]}" is no '
                "reference; write ${workflow.inputs.NAME}, ${steps.ID.outputs.NAME} or "
                "${env.NAME}"
            ),
        ),
    ),
    Row(
        "a variable that is not allowed",
        reference("${env.SECRET}"),
        (
            (
                "wf.yaml:8:56: error: ${env.SECRET}: reading this variable is not allowed; "
                "start with --allow-env SECRET"
            ),
        ),
    ),
    Row(
        "a variable like one that is allowed",
        reference("${env.HOM}"),
        (
            (
                "wf.yaml:8:56: error: ${env.HOM}: reading this variable is not allowed; start "
                'with --allow-env HOM; did you mean "HOME"?'
            ),
        ),
    ),
    Row(
        "a variable that is not set",
        reference("${env.UNSET_NAME}"),
        (
            (
                "wf.yaml:8:56: error: ${env.UNSET_NAME}: the environment variable UNSET_NAME "
                "is not set"
            ),
        ),
    ),
    Row(
        "no name of a variable",
        reference("${env.MY-VAR}"),
        (
            (
                'wf.yaml:8:56: error: "${env.MY-VAR}" is no reference; write '
                "${workflow.inputs.NAME}, ${steps.ID.outputs.NAME} or ${env.NAME}"
            ),
        ),
    ),
    Row(
        "deep in a value",
        step("    inputs: {x: [1, {y: ['${steps.b.outputs.x}']}]}\n"),
        ('wf.yaml:6:26: error: ${steps.b.outputs.x}: there is no step "b"',),
    ),
    Row(
        "in a block of text",
        step("    inputs:\n      text: |\n        one\n        two ${workflow.inputs.no}\n"),
        ('wf.yaml:7:13: error: ${workflow.inputs.no}: there is no input "no"',),
    ),
    Row(
        "in env",
        step("    env: {A: '${steps.b.outputs.x}'}\n"),
        ('wf.yaml:6:14: error: ${steps.b.outputs.x}: there is no step "b"',),
    ),
    Row(
        "in script",
        HEAD + "steps:\n  - {id: a, type: python, script: '${workflow.inputs.s}'}\n",
        (("wf.yaml:3:35: error: references are not resolved in script; pass the value by inputs"),),
    ),
    Row(
        "inputs of the wrong shape",
        HEAD
        + "inputs: {s: string}\n"
        + step("    inputs: {x: '${workflow.inputs.s}'}\n").removeprefix(HEAD),
        ('wf.yaml:2:9: error: expected a list, got a mapping ({"s":"string"})',),
    ),
    Row(
        "depends on no step",
        step("    depends_on: [b]\n"),
        ('wf.yaml:6:18: error: there is no step "b"',),
    ),
    Row(
        "depends on a misspelt step",
        HEAD
        + (
            "steps:\n"
            "  - {id: count, type: output, message: m}\n"
            "  - {id: b, type: output, message: m, depends_on: [cuont, count]}\n"
        ),
        ('wf.yaml:4:52: error: there is no step "cuont"; did you mean "count"?',),
    ),
    Row(
        "depends on itself",
        step("    depends_on: [a]\n"),
        ('wf.yaml:6:18: error: the step "a" depends on itself',),
    ),
    Row(
        "depends on itself and uses itself",
        HEAD
        + (
            "steps:\n"
            "  - {id: a, type: output, message: '${steps.a.outputs.message}', depends_on: [a]}\n"
        ),
        (
            ("wf.yaml:3:36: error: ${steps.a.outputs.message}: a step cannot use its own outputs"),
            'wf.yaml:3:79: error: the step "a" depends on itself',
        ),
    ),
    Row(
        "a cycle of two",
        HEAD
        + (
            "steps:\n"
            "  - {id: a, type: output, message: m, depends_on: [b]}\n"
            "  - {id: b, type: output, message: '${steps.a.outputs.message}'}\n"
        ),
        ("wf.yaml:3:52: error: the steps depend on each other: a -> b -> a",),
    ),
    Row(
        "a cycle of five",
        HEAD + "steps:\n" + circle("abcde"),
        (("wf.yaml:3:52: error: the steps depend on each other: a -> b -> c -> d -> e -> a"),),
    ),
    Row(
        "two cycles",
        HEAD + "steps:\n" + circle("ab") + circle("cde"),
        (
            "wf.yaml:3:52: error: the steps depend on each other: a -> b -> a",
            "wf.yaml:5:52: error: the steps depend on each other: c -> d -> e -> c",
        ),
    ),
    Row(
        "a cycle of twenty-six",
        HEAD + "steps:\n" + circle("abcdefghijklmnopqrstuvwxyz"),
        (
            (
                "wf.yaml:3:52: error: the steps depend on each other: a -> b -> c -> d -> e -> "
                "f -> g -> h -> i -> j -> … -> a"
            ),
        ),
    ),
    Row(
        "variables that may not be set",
        step("    env: {PATH: x, LD_PRELOAD: x, DYLD_X: y, PYTHONPATH: z, NODE_OPTIONS: n}\n"),
        (
            (
                'wf.yaml:6:11: error: "PATH" may not be set: changes how programs are found or '
                "loaded"
            ),
            (
                'wf.yaml:6:20: error: "LD_PRELOAD" may not be set: changes how programs are '
                "found or loaded"
            ),
            (
                'wf.yaml:6:35: error: "DYLD_X" may not be set: changes how programs are found '
                "or loaded"
            ),
            (
                'wf.yaml:6:46: error: "PYTHONPATH" may not be set: changes how programs are '
                "found or loaded"
            ),
            (
                'wf.yaml:6:61: error: "NODE_OPTIONS" may not be set: changes how programs are '
                "found or loaded"
            ),
        ),
    ),
    Row(
        "names that no variable has",
        step("    env: {'A B': c, '': d}\n"),
        (
            (
                'wf.yaml:6:11: error: "A B" may not be set: is no name of a variable: write '
                "letters, digits and _, beginning with no digit"
            ),
            'wf.yaml:6:21: error: "" may not be set: is empty',
        ),
    ),
    Row(
        "everything at once",
        (
            "workflow: {nam: W}\n"
            "inputs:\n"
            "  - {id: i, type: selct}\n"
            "steps:\n"
            "  - {id: a, type: pyton, script: a.py, timeout: 0, depends_on: [b]}\n"
            "  - {id: b c, type: output, message: '${steps.x.outputs.y}'}\n"
            "extra: 1\n"
        ),
        (
            'wf.yaml:1:12: error: unknown key "nam" in workflow; did you mean "name"?',
            (
                'wf.yaml:3:19: error: expected "string", "number", "boolean", "file", '
                '"directory" or "select", got "selct"; did you mean "select"?'
            ),
            (
                'wf.yaml:5:19: error: expected "python" or "output", got "pyton"; did you mean '
                '"python"?'
            ),
            "wf.yaml:5:49: error: expected at least 1 (milliseconds), got 0",
            'wf.yaml:5:65: error: there is no step "b"',
            (
                'wf.yaml:6:10: error: "b c" is not a legal id: use A-Z, a-z, 0-9, _ and -, and '
                'do not begin with -; did you mean "b_c"?'
            ),
            'wf.yaml:6:38: error: ${steps.x.outputs.y}: there is no step "x"',
            (
                'wf.yaml:7:1: error: unknown key "extra"; the keys are workflow, inputs, '
                "steps, ui_metadata"
            ),
        ),
    ),
)
