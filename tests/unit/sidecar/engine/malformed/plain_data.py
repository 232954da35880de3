"""YAML that is more than plain data: aliases, tags, odd keys, numbers that JSON cannot hold."""

from tests.unit.sidecar.engine.malformed import HEAD, STEPS, Row, step, value

ROWS = (
    Row(
        "unknown alias",
        "workflow:\n  name: *nom\n" + STEPS,
        (
            (
                'wf.yaml:2:9: error: the alias "*nom" names no anchor ("&nom") above it; quote '
                "it if it is text"
            ),
        ),
    ),
    Row(
        "an alias inside its anchor",
        step("    inputs: &i {x: *i}\n"),
        ('wf.yaml:6:20: error: the alias "*i" stands inside what it names',),
    ),
    Row(
        "an alias to the list around it",
        HEAD + "steps: &s\n  - *s\n",
        ('wf.yaml:3:5: error: the alias "*s" stands inside what it names',),
    ),
    Row(
        "alias bomb",
        "a: &a [x, x, x, x, x, x, x, x, x, x]\nb: &b ["
        + "*a, " * 10
        + "]\nc: &c ["
        + "*b, " * 10
        + "]\nd: &d ["
        + "*c, " * 10
        + "]\ne: ["
        + "*d, " * 10
        + "]\n"
        + HEAD
        + STEPS,
        ("wf.yaml:4:36: error: aliases add more than 10,000 values; use fewer",),
    ),
    Row(
        "alias bomb of long texts",
        step("    inputs: {a: &a " + "x" * 100_000 + ", b: [" + "*a, " * 10 + "]}\n"),
        ("wf.yaml:6:100062: error: aliases add more than 10,000 values; use fewer",),
    ),
    Row(
        "an alias to a list as key",
        step("    inputs: {a: &a [x], *a : 1}\n"),
        ("wf.yaml:6:25: error: a key must be text, not a list or a mapping",),
    ),
    Row(
        "merge key",
        HEAD + ("steps:\n  - &base {id: a, type: python, script: a.py}\n  - {<<: *base, id: b}\n"),
        ('wf.yaml:4:6: error: merge keys ("<<") are not YAML 1.2; write the keys out',),
    ),
    Row(
        "a Python tag",
        "workflow:\n  name: !!python/object/apply:os.system [id]\n" + STEPS,
        (
            (
                'wf.yaml:2:9: error: the tag "!!python/object/apply:os.system" is not '
                "supported; delete it, or quote it if it is text"
            ),
        ),
    ),
    Row(
        "a tag for a number",
        step("    timeout: !!int 5\n"),
        (
            (
                'wf.yaml:6:14: error: the tag "!!int" is not supported; delete it, or quote it '
                "if it is text"
            ),
        ),
    ),
    Row(
        "a tag for a set",
        step("    inputs: !!set {x, y}\n"),
        (
            (
                'wf.yaml:6:13: error: the tag "!!set" is not supported; delete it, or quote it '
                "if it is text"
            ),
        ),
    ),
    Row(
        "an undefined tag handle",
        "workflow:\n  name: !e!x W\n" + STEPS,
        ('wf.yaml:2:9: error: tags ("!") are not supported; quote the text',),
    ),
    Row(
        "duplicate root key",
        HEAD + STEPS + "workflow: {name: V}\n",
        ('wf.yaml:4:1: error: duplicate key "workflow"; first given on line 1',),
    ),
    Row(
        "duplicate key of a step",
        step("    timeout: 5\n    timeout: 6\n"),
        ('wf.yaml:7:5: error: duplicate key "timeout"; first given on line 6',),
    ),
    Row(
        "a key three times",
        step("    inputs: {a: 1, a: 2, a: 3}\n"),
        (
            'wf.yaml:6:20: error: duplicate key "a"; first given on line 6',
            'wf.yaml:6:26: error: duplicate key "a"; first given on line 6',
        ),
    ),
    Row(
        "a boolean as key",
        step("    inputs: {true: 1}\n"),
        ("wf.yaml:6:14: error: a key must be text, not true; put it in quotes",),
    ),
    Row(
        "numbers as keys",
        step("    inputs: {1: 1, 2.5: x}\n"),
        (
            "wf.yaml:6:14: error: a key must be text, not 1; put it in quotes",
            "wf.yaml:6:20: error: a key must be text, not 2.5; put it in quotes",
        ),
    ),
    Row(
        "null as key",
        step("    inputs: {~: 1}\n"),
        ("wf.yaml:6:14: error: a key must be text, not null; put it in quotes",),
    ),
    Row(
        "a number that cannot be read as key",
        step("    inputs: {.nan: 1}\n"),
        ("wf.yaml:6:14: error: .nan is no number that JSON can hold; put it in quotes",),
    ),
    Row(
        "a list as key",
        step("    inputs: {[a]: 1}\n"),
        ("wf.yaml:6:14: error: a key must be text, not a list or a mapping",),
    ),
    Row(
        "a complex key",
        "? [a]\n: b\n" + HEAD + STEPS,
        ("wf.yaml:1:3: error: a key must be text, not a list or a mapping",),
    ),
    Row(
        "not a number",
        value(".nan"),
        ("wf.yaml:6:17: error: .nan is no number that JSON can hold; put it in quotes",),
    ),
    Row(
        "infinity",
        value("-.inf"),
        ("wf.yaml:6:17: error: -.inf is no number that JSON can hold; put it in quotes",),
    ),
    Row(
        "5,000 digits",
        value("9" * 5_000),
        (
            (
                "wf.yaml:6:17: error: the number 9999999999999999999999999999999999999… does "
                "not fit into 64 bits; put it in quotes"
            ),
        ),
    ),
    Row(
        "1e400",
        value("1e400"),
        ("wf.yaml:6:17: error: the number 1e400 is too large; put it in quotes",),
    ),
    Row(
        "65 bits",
        value("18446744073709551616"),
        (
            (
                "wf.yaml:6:17: error: the number 18446744073709551616 does not fit into 64 "
                "bits; put it in quotes"
            ),
        ),
    ),
    Row(
        "a long hexadecimal number",
        value("0x" + "f" * 30),
        (
            (
                "wf.yaml:6:17: error: the number 0xffffffffffffffffffffffffffffff does not fit "
                "into 64 bits; put it in quotes"
            ),
        ),
    ),
    Row(
        "a value that cannot be read, where text is expected",
        "workflow: {name: .nan}\n" + STEPS,
        ("wf.yaml:1:18: error: .nan is no number that JSON can hold; put it in quotes",),
    ),
    Row(
        "a value that cannot be read, where an id is expected",
        HEAD + "steps:\n  - {id: .nan, type: python, script: a.py}\n",
        ("wf.yaml:3:10: error: .nan is no number that JSON can hold; put it in quotes",),
    ),
    Row(
        "a value that cannot be read, where a type is expected",
        HEAD + "steps:\n  - {id: a, type: .nan, script: a.py}\n",
        ("wf.yaml:3:19: error: .nan is no number that JSON can hold; put it in quotes",),
    ),
    Row(
        "a number that is too large, where one is expected",
        step("    timeout: 1e400\n    depends_on: [.inf]\n"),
        (
            "wf.yaml:6:14: error: the number 1e400 is too large; put it in quotes",
            "wf.yaml:7:18: error: .inf is no number that JSON can hold; put it in quotes",
        ),
    ),
    Row(
        "several at once",
        "workflow: {name: .inf, name: x}\nsteps: [{id: .nan, type: pyton}]\nstepz: 5\n",
        (
            "wf.yaml:1:18: error: .inf is no number that JSON can hold; put it in quotes",
            'wf.yaml:1:24: error: duplicate key "name"; first given on line 1',
            'wf.yaml:2:9: error: the key "script" is missing',
            "wf.yaml:2:14: error: .nan is no number that JSON can hold; put it in quotes",
            (
                'wf.yaml:2:26: error: expected "python" or "output", got "pyton"; did you mean '
                '"python"?'
            ),
            'wf.yaml:3:1: error: unknown key "stepz"; did you mean "steps"?',
        ),
    ),
)
