"""YAML whose keys and values are not those of a workflow."""

from tests.unit.sidecar.engine.malformed import HEAD, STEPS, Row, declaration, retry, step

ROWS = (
    Row(
        "misspelt workflow",
        "workflw: {name: W}\n" + STEPS,
        ('wf.yaml:1:1: error: unknown key "workflw"; did you mean "workflow"?',),
    ),
    Row(
        "misspelt steps",
        HEAD + "step:\n  - {id: a, type: python, script: a.py}\n",
        ('wf.yaml:2:1: error: unknown key "step"; did you mean "steps"?',),
    ),
    Row(
        "unknown root key",
        HEAD + "zzz: 1\n" + STEPS,
        (
            (
                'wf.yaml:2:1: error: unknown key "zzz"; the keys are workflow, inputs, steps, '
                "ui_metadata"
            ),
        ),
    ),
    Row(
        "misspelt keys of workflow",
        "workflow: {nam: W, versoin: '1'}\n" + STEPS,
        (
            'wf.yaml:1:12: error: unknown key "nam" in workflow; did you mean "name"?',
            ('wf.yaml:1:20: error: unknown key "versoin" in workflow; did you mean "version"?'),
        ),
    ),
    Row(
        "misspelt key of an input",
        declaration("type: string, requird: true"),
        (('wf.yaml:3:27: error: unknown key "requird" in inputs[0]; did you mean "required"?'),),
    ),
    Row(
        "misspelt keys of a step",
        HEAD + "steps:\n  - id: a\n    type: python\n    scrpt: a.py\n    dependson: []\n",
        (
            'wf.yaml:5:5: error: unknown key "scrpt" in steps[0]; did you mean "script"?',
            ('wf.yaml:6:5: error: unknown key "dependson" in steps[0]; did you mean "depends_on"?'),
        ),
    ),
    Row(
        "misspelt type",
        HEAD + "steps:\n  - {id: a, typ: output, message: m}\n",
        ('wf.yaml:3:13: error: unknown key "typ" in steps[0]; did you mean "type"?',),
    ),
    Row(
        "misspelt type, misspelt value",
        HEAD + "steps:\n  - {id: a, typ: pyton, script: a.py}\n",
        ('wf.yaml:3:13: error: unknown key "typ" in steps[0]; did you mean "type"?',),
    ),
    Row(
        "unit in the key",
        step("    timeout_ms: 5\n"),
        (('wf.yaml:6:5: error: unknown key "timeout_ms" in steps[0]; did you mean "timeout"?'),),
    ),
    Row(
        "beginning of a key",
        step("    retry: {max_attempts: 2}\n"),
        (('wf.yaml:6:5: error: unknown key "retry" in steps[0]; did you mean "retry_policy"?'),),
    ),
    Row(
        "camel case",
        step("    dependsOn: []\n    retryPolicy: {maxAttempts: 2}\n"),
        (
            ('wf.yaml:6:5: error: unknown key "dependsOn" in steps[0]; did you mean "depends_on"?'),
            (
                'wf.yaml:7:5: error: unknown key "retryPolicy" in steps[0]; did you mean '
                '"retry_policy"?'
            ),
        ),
    ),
    Row(
        "misspelt keys of a retry policy",
        retry("max_attempt: 2, delay: 5"),
        (
            (
                'wf.yaml:6:20: error: unknown key "max_attempt" in steps[0].retry_policy; did '
                'you mean "max_attempts"?'
            ),
            (
                'wf.yaml:6:36: error: unknown key "delay" in steps[0].retry_policy; the keys '
                "are max_attempts, initial_delay_ms, backoff_multiplier, max_delay_ms, "
                "retry_on_error_types"
            ),
        ),
    ),
    Row(
        "misspelt key of an output step",
        HEAD + "steps:\n  - {id: a, type: output, mesage: hi, script: a.py}\n",
        (
            'wf.yaml:3:27: error: unknown key "mesage" in steps[0]; did you mean "message"?',
            (
                'wf.yaml:3:39: error: unknown key "script" in steps[0]; the keys are id, type, '
                "label, description, message, format, depends_on"
            ),
        ),
    ),
    Row(
        "misspelt keys of the drawing",
        HEAD + STEPS + "ui_metadata: {node: [], viewport: {zom: 1}}\n",
        (
            'wf.yaml:4:15: error: unknown key "node" in ui_metadata; did you mean "nodes"?',
            (
                'wf.yaml:4:36: error: unknown key "zom" in ui_metadata.viewport; did you mean '
                '"zoom"?'
            ),
        ),
    ),
    Row(
        "misspelt keys of a node",
        HEAD + STEPS + "ui_metadata: {nodes: [{id: a, positon: {x: 1, y: 2}, color: red}]}\n",
        (
            (
                'wf.yaml:4:31: error: unknown key "positon" in ui_metadata.nodes[0]; did you '
                'mean "position"?'
            ),
            (
                'wf.yaml:4:54: error: unknown key "color" in ui_metadata.nodes[0]; the keys '
                "are id, position, width, height"
            ),
        ),
    ),
    Row(
        "misspelt keys of a position",
        HEAD + STEPS + "ui_metadata: {nodes: [{id: a, position: {X: 1, y: 2, z: 3}}]}\n",
        (
            (
                'wf.yaml:4:42: error: unknown key "X" in ui_metadata.nodes[0].position; did '
                'you mean "x"?'
            ),
            (
                'wf.yaml:4:54: error: unknown key "z" in ui_metadata.nodes[0].position; the '
                "keys are x, y"
            ),
        ),
    ),
    Row(
        "a program of the author's choice",
        step("    interpreter: /bin/sh\n    args: [-c]\n    cwd: /\n"),
        (
            (
                'wf.yaml:6:5: error: unknown key "interpreter" in steps[0]; the keys are id, '
                "type, label, description, script, inputs, outputs, depends_on, timeout, "
                "retry_policy, env, permissions"
            ),
            (
                'wf.yaml:7:5: error: unknown key "args" in steps[0]; the keys are id, type, '
                "label, description, script, inputs, outputs, depends_on, timeout, "
                "retry_policy, env, permissions"
            ),
            (
                'wf.yaml:8:5: error: unknown key "cwd" in steps[0]; the keys are id, type, '
                "label, description, script, inputs, outputs, depends_on, timeout, "
                "retry_policy, env, permissions"
            ),
        ),
    ),
    Row(
        "workflow is missing",
        STEPS,
        ('wf.yaml:1:1: error: the key "workflow" is missing',),
    ),
    Row(
        "steps is missing",
        HEAD,
        ('wf.yaml:1:1: error: the key "steps" is missing',),
    ),
    Row(
        "everything is missing",
        "x: 1\n",
        (
            'wf.yaml:1:1: error: the key "workflow" is missing',
            'wf.yaml:1:1: error: the key "steps" is missing',
            (
                'wf.yaml:1:1: error: unknown key "x"; the keys are workflow, inputs, steps, '
                "ui_metadata"
            ),
        ),
    ),
    Row(
        "name is missing",
        "workflow: {id: x}\n" + STEPS,
        ('wf.yaml:1:11: error: the key "name" is missing',),
    ),
    Row(
        "id is missing",
        HEAD + "steps:\n  - {type: python, script: a.py}\n",
        ('wf.yaml:3:5: error: the key "id" is missing',),
    ),
    Row(
        "type is missing",
        HEAD + "steps:\n  - {id: a, script: a.py}\n",
        ('wf.yaml:3:5: error: the key "type" is missing; write "python" or "output"',),
    ),
    Row(
        "type of an output step is missing",
        HEAD + "steps:\n  - {id: a, message: hi}\n",
        ('wf.yaml:3:5: error: the key "type" is missing; write "python" or "output"',),
    ),
    Row(
        "script is missing",
        HEAD + "steps:\n  - {id: a, type: python}\n",
        ('wf.yaml:3:5: error: the key "script" is missing',),
    ),
    Row(
        "message is missing",
        HEAD + "steps:\n  - {id: a, type: output}\n",
        ('wf.yaml:3:5: error: the key "message" is missing',),
    ),
    Row(
        "an empty input",
        HEAD + "inputs:\n  - {}\n" + STEPS,
        (
            'wf.yaml:3:5: error: the key "id" is missing',
            'wf.yaml:3:5: error: the key "type" is missing',
        ),
    ),
    Row(
        "keys of nodes are missing",
        HEAD + STEPS + "ui_metadata: {nodes: [{id: a}, {position: {x: 1}}]}\n",
        (
            'wf.yaml:4:23: error: the key "position" is missing',
            'wf.yaml:4:32: error: the key "id" is missing',
            'wf.yaml:4:43: error: the key "y" is missing',
        ),
    ),
    Row(
        "wrong types at the root",
        "workflow: W\ninputs: {folder: string}\nsteps: a.py\nui_metadata: 5\n",
        (
            'wf.yaml:1:11: error: expected a mapping, got text ("W")',
            'wf.yaml:2:9: error: expected a list, got a mapping ({"folder":"string"})',
            'wf.yaml:3:8: error: expected a list, got text ("a.py")',
            "wf.yaml:4:14: error: expected a mapping, got an integer (5)",
        ),
    ),
    Row(
        "nothing at the root",
        "workflow:\ninputs:\nsteps:\n",
        (
            "wf.yaml:1:10: error: expected a mapping, got nothing (null)",
            "wf.yaml:2:8: error: expected a list, got nothing (null)",
            "wf.yaml:3:7: error: expected a list, got nothing (null)",
        ),
    ),
    Row(
        "wrong types in workflow",
        (
            "workflow: {id: 5, name: true, version: 1.0,\n"
            "  description: [x], tags: a, author: {a: b}}\n"
        )
        + STEPS,
        (
            (
                "wf.yaml:1:16: error: expected text, got an integer (5); put it in quotes; did "
                'you mean "5"?'
            ),
            (
                "wf.yaml:1:25: error: expected text, got a boolean (true); put it in quotes; "
                'did you mean "true"?'
            ),
            (
                "wf.yaml:1:40: error: expected text, got a number (1.0); put it in quotes; did "
                'you mean "1.0"?'
            ),
            'wf.yaml:2:16: error: expected text, got a list (["x"])',
            'wf.yaml:2:27: error: expected a list, got text ("a"); did you mean [a]?',
            'wf.yaml:2:38: error: expected text, got a mapping ({"a":"b"})',
        ),
    ),
    Row(
        "wrong types in a list",
        "workflow: {name: W, tags: [a, 1, null]}\n" + STEPS,
        (
            (
                "wf.yaml:1:31: error: expected text, got an integer (1); put it in quotes; did "
                'you mean "1"?'
            ),
            "wf.yaml:1:34: error: expected text, got nothing (null)",
        ),
    ),
    Row(
        "steps that are no mappings",
        HEAD + "steps: [a.py, 5]\n",
        (
            'wf.yaml:2:9: error: expected a mapping, got text ("a.py")',
            "wf.yaml:2:15: error: expected a mapping, got an integer (5)",
        ),
    ),
    Row(
        "steps as a mapping",
        HEAD + "steps:\n  a: {type: python, script: a.py}\n",
        (
            (
                "wf.yaml:3:3: error: expected a list, got a mapping "
                '({"a":{"type":"python","script":"a.py"}})'
            ),
        ),
    ),
    Row(
        "no steps",
        HEAD + "steps: []\n",
        ("wf.yaml:2:8: error: must have at least one entry",),
    ),
    Row(
        "wrong types in a step",
        HEAD
        + (
            "steps:\n"
            "  - id: 5\n"
            "    type: python\n"
            "    script: [a.py]\n"
            "    label: 1\n"
            "    inputs: [a]\n"
            "    outputs: total\n"
            "    depends_on: b\n"
            "    timeout: 30s\n"
            "    retry_policy: 3\n"
            "    env: [A=1]\n"
        ),
        (
            (
                "wf.yaml:3:9: error: expected text, got an integer (5); put it in quotes; did "
                'you mean "5"?'
            ),
            'wf.yaml:5:13: error: expected text, got a list (["a.py"])',
            (
                "wf.yaml:6:12: error: expected text, got an integer (1); put it in quotes; did "
                'you mean "1"?'
            ),
            'wf.yaml:7:13: error: expected a mapping, got a list (["a"])',
            ('wf.yaml:8:14: error: expected a list, got text ("total"); did you mean [total]?'),
            'wf.yaml:9:17: error: expected a list, got text ("b"); did you mean [b]?',
            (
                'wf.yaml:10:14: error: expected an integer (milliseconds), got text ("30s"); '
                "did you mean 30000?"
            ),
            "wf.yaml:11:19: error: expected a mapping, got an integer (3)",
            'wf.yaml:12:10: error: expected a mapping, got a list (["A=1"])',
        ),
    ),
    Row(
        "wrong types in lists and mappings",
        step(
            "    timeout: 1.5\n"
            "    env: {A: 1, B: true, C: null}\n"
            "    outputs: [1, '']\n"
            "    depends_on: [1]\n"
        ),
        (
            "wf.yaml:6:14: error: expected an integer (milliseconds), got a number (1.5)",
            (
                "wf.yaml:7:14: error: expected text, got an integer (1); put it in quotes; did "
                'you mean "1"?'
            ),
            (
                "wf.yaml:7:20: error: expected text, got a boolean (true); put it in quotes; "
                'did you mean "true"?'
            ),
            "wf.yaml:7:29: error: expected text, got nothing (null)",
            (
                "wf.yaml:8:15: error: expected text, got an integer (1); put it in quotes; did "
                'you mean "1"?'
            ),
            "wf.yaml:8:18: error: must not be empty",
            (
                "wf.yaml:9:18: error: expected text, got an integer (1); put it in quotes; did "
                'you mean "1"?'
            ),
        ),
    ),
    Row(
        "wrong types in an output step",
        HEAD + "steps:\n  - {id: a, type: output, message: 5, format: html}\n",
        (
            (
                "wf.yaml:3:36: error: expected text, got an integer (5); put it in quotes; did "
                'you mean "5"?'
            ),
            'wf.yaml:3:47: error: expected "text", "markdown" or "json", got "html"',
        ),
    ),
    Row(
        "misspelt format",
        HEAD + "steps:\n  - {id: a, type: output, message: hi, format: markdwn}\n",
        (
            (
                'wf.yaml:3:48: error: expected "text", "markdown" or "json", got "markdwn"; '
                'did you mean "markdown"?'
            ),
        ),
    ),
    Row(
        "misspelt step type",
        HEAD + "steps:\n  - {id: a, type: pythn, script: a.py}\n",
        (
            (
                'wf.yaml:3:19: error: expected "python" or "output", got "pythn"; did you mean '
                '"python"?'
            ),
        ),
    ),
    Row(
        "step type in capitals",
        HEAD + "steps:\n  - {id: a, type: Python, script: a.py}\n",
        (
            (
                'wf.yaml:3:19: error: expected "python" or "output", got "Python"; did you '
                'mean "python"?'
            ),
        ),
    ),
    Row(
        "another step type",
        HEAD + "steps:\n  - {id: a, type: shell, script: a.sh}\n",
        ('wf.yaml:3:19: error: expected "python" or "output", got "shell"',),
    ),
    Row(
        "no step type",
        HEAD + "steps:\n  - {id: a, type: , script: a.sh}\n",
        ('wf.yaml:3:19: error: expected "python" or "output", got null',),
    ),
    Row(
        "a list as step type",
        HEAD + "steps:\n  - {id: a, type: [python], script: a.sh}\n",
        ('wf.yaml:3:19: error: expected "python" or "output", got ["python"]',),
    ),
    Row(
        "misspelt input type",
        declaration("type: strng"),
        (
            (
                'wf.yaml:3:19: error: expected "string", "number", "boolean", "file", '
                '"directory" or "select", got "strng"; did you mean "string"?'
            ),
        ),
    ),
    Row(
        "shortened input type",
        declaration("type: bool"),
        (
            (
                'wf.yaml:3:19: error: expected "string", "number", "boolean", "file", '
                '"directory" or "select", got "bool"; did you mean "boolean"?'
            ),
        ),
    ),
    Row(
        "another input type",
        declaration("type: text"),
        (
            (
                'wf.yaml:3:19: error: expected "string", "number", "boolean", "file", '
                '"directory" or "select", got "text"'
            ),
        ),
    ),
    Row(
        "yes",
        declaration("type: string, required: yes"),
        (('wf.yaml:3:37: error: expected true or false, got text ("yes"); did you mean true?'),),
    ),
    Row(
        "On, and a quoted boolean",
        declaration("type: string, required: On, secret: 'true'"),
        (
            ('wf.yaml:3:37: error: expected true or false, got text ("On"); did you mean true?'),
            (
                'wf.yaml:3:49: error: expected true or false, got text ("true"); delete the '
                "quotes; did you mean true?"
            ),
        ),
    ),
    Row(
        "empty id",
        HEAD + "steps:\n  - {id: '', type: python, script: a.py}\n",
        (
            (
                'wf.yaml:3:10: error: "" is not a legal id: use A-Z, a-z, 0-9, _ and -, and do '
                "not begin with -"
            ),
        ),
    ),
    Row(
        "id with a space, depended on",
        HEAD
        + (
            "steps:\n"
            "  - {id: my step, type: python, script: a.py}\n"
            "  - {id: b, type: python, script: a.py, depends_on: [my step]}\n"
        ),
        (
            (
                'wf.yaml:3:10: error: "my step" is not a legal id: use A-Z, a-z, 0-9, _ and -, '
                'and do not begin with -; did you mean "my_step"?'
            ),
            (
                'wf.yaml:4:54: error: "my step" is not a legal id: use A-Z, a-z, 0-9, _ and -, '
                'and do not begin with -; did you mean "my_step"?'
            ),
        ),
    ),
    Row(
        "id with a dot",
        HEAD + "inputs:\n  - {id: a.b, type: string}\n" + STEPS,
        (
            (
                'wf.yaml:3:10: error: "a.b" is not a legal id: use A-Z, a-z, 0-9, _ and -, and '
                'do not begin with -; did you mean "a_b"?'
            ),
        ),
    ),
    Row(
        "id with a line break",
        HEAD + 'steps:\n  - {id: "a\\n", type: python, script: a.py}\n',
        (
            (
                'wf.yaml:3:10: error: "a\\n" is not a legal id: use A-Z, a-z, 0-9, _ and -, and '
                'do not begin with -; did you mean "a"?'
            ),
        ),
    ),
    Row(
        "id of 129 characters",
        HEAD + "steps:\n  - {id: " + "a" * 129 + ", type: python, script: a.py}\n",
        ("wf.yaml:3:10: error: expected at most 128 characters, got 129",),
    ),
    Row(
        "empty name and id",
        "workflow: {name: '', id: ''}\n" + STEPS,
        (
            "wf.yaml:1:18: error: must not be empty",
            "wf.yaml:1:26: error: must not be empty",
        ),
    ),
    Row(
        "name of 257 characters",
        "workflow: {name: " + "n" * 257 + "}\n" + STEPS,
        ("wf.yaml:1:18: error: expected at most 256 characters, got 257",),
    ),
    Row(
        "empty script",
        HEAD + "steps:\n  - {id: a, type: python, script: ''}\n",
        ("wf.yaml:3:35: error: must not be empty",),
    ),
    Row(
        "20,001 steps",
        HEAD
        + "steps:\n"
        + "".join(f"  - {{id: s{i}, type: output, message: m}}\n" for i in range(20_001)),
        ("wf.yaml:3:3: error: expected at most 20,000 entries, got 20,001",),
    ),
    Row(
        "duplicate input id",
        HEAD + "inputs:\n  - {id: i, type: string}\n  - {id: i, type: number}\n" + STEPS,
        ('wf.yaml:4:10: error: duplicate input id "i"; first used by inputs[0]',),
    ),
    Row(
        "a step id three times",
        HEAD
        + STEPS
        + ("  - {id: a, type: output, message: m}\n  - {id: a, type: output, message: m}\n"),
        (
            'wf.yaml:4:10: error: duplicate step id "a"; first used by steps[0]',
            'wf.yaml:5:10: error: duplicate step id "a"; first used by steps[0]',
        ),
    ),
)
