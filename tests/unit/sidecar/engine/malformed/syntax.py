"""Texts that are no YAML, or not one document of a bearable size."""

from tests.unit.sidecar.engine.malformed import HEAD, STEPS, Row, step, value

ROWS = (
    Row(
        "a tab indents a mapping",
        "workflow:\n\tname: W\n" + STEPS,
        ("wf.yaml:2:1: error: a tab cannot indent YAML; use spaces",),
    ),
    Row(
        "a tab indents a step",
        HEAD + "steps:\n\t- id: a\n",
        ("wf.yaml:3:1: error: a tab cannot indent YAML; use spaces",),
    ),
    Row(
        "a tab indents a key of a step",
        HEAD + "steps:\n  - id: a\n\ttype: python\n",
        ("wf.yaml:4:1: error: a tab cannot indent YAML; use spaces",),
    ),
    Row(
        "a tab after the dash",
        HEAD + "steps:\n  -\tid: a\n    type: python\n",
        ("wf.yaml:3:4: error: a tab cannot indent YAML; use spaces",),
    ),
    Row(
        "double quote never closed",
        'workflow: {name: "W}\n' + STEPS,
        ("wf.yaml:1:18: error: this quote is never closed",),
    ),
    Row(
        "single quote never closed",
        "workflow:\n  name: 'W\n" + STEPS,
        ("wf.yaml:2:9: error: this quote is never closed",),
    ),
    Row(
        "quote closed by a document",
        'workflow:\n  name: "W\n---\nsteps: "a"\n',
        ("wf.yaml:2:9: error: this quote is never closed",),
    ),
    Row(
        "text after a closing quote",
        'workflow:\n  name: "W" x\n' + STEPS,
        (("wf.yaml:2:13: error: nothing may follow a closing quote; quote the text as a whole"),),
    ),
    Row(
        "bracket never closed",
        HEAD + "steps: [{id: a, type: python, script: a.py}\n",
        ('wf.yaml:2:8: error: this "[" lacks its "]", or a "," before a line\'s end',),
    ),
    Row(
        "brace never closed",
        "workflow: {name: W\n" + STEPS,
        ('wf.yaml:1:11: error: this "{" lacks its "}", or a "," before a line\'s end',),
    ),
    Row(
        "wrong closing bracket",
        "workflow: {name: W]\n" + STEPS,
        ('wf.yaml:1:19: error: "]" cannot close the "{" of line 1, column 11',),
    ),
    Row(
        "one closing brace too many",
        "workflow: {name: W}}\n" + STEPS,
        ('wf.yaml:1:20: error: nothing is open that "}" could close',),
    ),
    Row(
        "no comma in braces",
        "workflow: {name: W id: x}\n" + STEPS,
        (
            (
                'wf.yaml:1:22: error: a ":" too many; a "," is missing before it, or the text '
                "needs quotes"
            ),
        ),
    ),
    Row(
        "reference without quotes in braces",
        HEAD + "steps:\n  - {id: a, type: python, script: a.py, inputs: {x: ${env.A}}}\n",
        (
            (
                "wf.yaml:3:53: error: within { } a value that holds a reference needs quotes, "
                'such as "${workflow.inputs.NAME}"'
            ),
        ),
    ),
    Row(
        "reference without quotes in braces over two lines",
        HEAD + "steps:\n  - {id: a, type: python, script: a.py,\n     inputs: {x: ${env.A}}}\n",
        (
            (
                "wf.yaml:4:18: error: within { } a value that holds a reference needs quotes, "
                'such as "${workflow.inputs.NAME}"'
            ),
        ),
    ),
    Row(
        "no comma in brackets",
        'workflow: {name: W, tags: ["x" "y"]}\n' + STEPS,
        ('wf.yaml:1:32: error: expected "," or "]" here',),
    ),
    Row(
        "no comma at a line's end",
        HEAD + "steps:\n  - {id: a, type: python\n     script: a.py}\n",
        ('wf.yaml:3:5: error: this "{" lacks its "}", or a "," before a line\'s end',),
    ),
    Row(
        "indented too far",
        "workflow:\n  name: W\n    id: x\n" + STEPS,
        (
            (
                "wf.yaml:3:5: error: this line continues the text of the line above, so it "
                'cannot be a key; is the indentation right, and does every key above have ": " '
                "with a space?"
            ),
        ),
    ),
    Row(
        "indented too little",
        "workflow:\n  name: W\n id: x\n" + STEPS,
        ("wf.yaml:3:2: error: this line fits nothing above it; is the indentation right?",),
    ),
    Row(
        "a dash indented too little",
        HEAD + "steps:\n  - id: a\n    type: python\n - id: b\n",
        ("wf.yaml:5:2: error: this line fits nothing above it; is the indentation right?",),
    ),
    Row(
        "a list item among keys",
        HEAD + "steps:\n  id: a\n  - id: b\n",
        ("wf.yaml:4:3: error: this line fits nothing above it; is the indentation right?",),
    ),
    Row(
        "a second colon",
        "workflow:\n  name: Report: nightly\n" + STEPS,
        ('wf.yaml:2:15: error: a second ": " in one line; quote the text that holds it',),
    ),
    Row(
        "a second colon in braces",
        "workflow: {name: Report: nightly}\n" + STEPS,
        (
            (
                'wf.yaml:1:24: error: a ":" too many; a "," is missing before it, or the text '
                "needs quotes"
            ),
        ),
    ),
    Row(
        "no space after a colon",
        "workflow:\n  name:W\n" + STEPS,
        (
            (
                'wf.yaml:2:3: error: expected a mapping, got text ("name:W"); a key needs a '
                "space after its colon"
            ),
        ),
    ),
    Row(
        "no space after a colon, then a key",
        "workflow:\n  name:W\n  id: x\n" + STEPS,
        (
            (
                "wf.yaml:3:3: error: this line continues the text of the line above, so it "
                'cannot be a key; is the indentation right, and does every key above have ": " '
                "with a space?"
            ),
        ),
    ),
    Row(
        "no space after a dash",
        HEAD + "steps:\n  -id: a\n",
        (
            (
                'wf.yaml:3:3: error: expected a list, got a mapping ({"-id":"a"}); a list item '
                'needs a space after its "-"'
            ),
        ),
    ),
    Row(
        "a key without colon",
        "workflow:\n  name: W\n  version\n" + STEPS,
        ('wf.yaml:3:3: error: expected ":" after this key',),
    ),
    Row(
        "a root key without colon",
        "workflow:\n  name: W\nsteps\n  - id: a\n",
        ('wf.yaml:3:1: error: expected ":" after this key',),
    ),
    Row(
        "begins with @",
        "workflow:\n  name: @home\n" + STEPS,
        ('wf.yaml:2:9: error: a plain text cannot begin with "@"; quote it',),
    ),
    Row(
        "begins with a backtick",
        "workflow:\n  name: `W`\n" + STEPS,
        ('wf.yaml:2:9: error: a plain text cannot begin with "`"; quote it',),
    ),
    Row(
        "begins with %",
        "workflow:\n  name: %W\n" + STEPS,
        ('wf.yaml:2:9: error: a plain text cannot begin with "%"; quote it',),
    ),
    Row(
        "begins with *",
        value("*.py"),
        ('wf.yaml:6:17: error: a plain text cannot begin with "*" or "&"; quote it',),
    ),
    Row(
        "begins with &",
        "workflow:\n  name: & W\n" + STEPS,
        ('wf.yaml:2:9: error: a plain text cannot begin with "*" or "&"; quote it',),
    ),
    Row(
        "begins with !",
        "workflow:\n  name: !W\n" + STEPS,
        (
            (
                'wf.yaml:2:9: error: the tag "!W" is not supported; delete it, or quote it if '
                "it is text"
            ),
        ),
    ),
    Row(
        "a list item beside its key",
        HEAD + "steps: - id: a\n",
        ('wf.yaml:2:8: error: a list item ("- ") must begin on its own line',),
    ),
    Row(
        "a value is missing",
        value("[,]"),
        ("wf.yaml:6:18: error: expected a value here",),
    ),
    Row(
        "backslashes of Windows",
        'workflow:\n  name: "C:\\Users\\me"\n' + STEPS,
        (
            (
                'wf.yaml:2:12: error: "\\U" begins no character here; in double quotes write '
                '"\\\\" for a backslash, or use single quotes'
            ),
        ),
    ),
    Row(
        "an unknown escape",
        'workflow:\n  name: "\\q"\n' + STEPS,
        (
            (
                'wf.yaml:2:10: error: "\\q" begins no character here; in double quotes write '
                '"\\\\" for a backslash, or use single quotes'
            ),
        ),
    ),
    Row(
        "half a surrogate pair as escape",
        'workflow:\n  name: "\\ud800"\n' + STEPS,
        (
            (
                'wf.yaml:2:10: error: "\\u" begins no character here; in double quotes write '
                '"\\\\" for a backslash, or use single quotes'
            ),
        ),
    ),
    Row(
        "text after a bar",
        "workflow:\n  name: |x\n    W\n" + STEPS,
        ('wf.yaml:2:9: error: nothing may follow "|" in its line; quote the text',),
    ),
    Row(
        "text after an angle bracket",
        step("    inputs: {}\n    description: >5 files\n"),
        ('wf.yaml:7:18: error: nothing may follow ">" in its line; quote the text',),
    ),
    Row(
        "a directive",
        "%FOO\n---\n" + HEAD + STEPS,
        ('wf.yaml:1:1: error: a line that begins with "%" is a directive; delete it',),
    ),
    Row(
        "YAML 2",
        "%YAML 2.0\n---\n" + HEAD + STEPS,
        ("wf.yaml:1:1: error: only YAML 1.x is supported; delete the %YAML line",),
    ),
    Row(
        "two documents",
        HEAD + STEPS + "---\n" + HEAD + STEPS,
        (('wf.yaml:4:1: error: a second document begins here ("---"); a workflow file holds one'),),
    ),
    Row(
        "text after the document's end",
        HEAD + STEPS + "...\nmore: x\n",
        (
            (
                "wf.yaml:5:1: error: the file's one mapping has ended above; is the "
                "indentation right?"
            ),
        ),
    ),
    Row(
        "a root key further left",
        "  " + HEAD + STEPS,
        (
            (
                "wf.yaml:2:1: error: the file's one mapping has ended above; is the "
                "indentation right?"
            ),
        ),
    ),
    Row(
        "empty",
        "",
        (("wf.yaml:1:1: error: the file is empty; expected a mapping with workflow and steps"),),
    ),
    Row(
        "only a comment",
        "# nothing\n",
        (("wf.yaml:1:1: error: the file is empty; expected a mapping with workflow and steps"),),
    ),
    Row(
        "only a document's start",
        "---\n",
        ("wf.yaml:2:1: error: expected a mapping with workflow and steps, got null",),
    ),
    Row(
        "null",
        "null\n",
        ("wf.yaml:1:1: error: expected a mapping with workflow and steps, got null",),
    ),
    Row(
        "a scalar root",
        "hello\n",
        ('wf.yaml:1:1: error: expected a mapping with workflow and steps, got "hello"',),
    ),
    Row(
        "a number root",
        "5\n",
        ("wf.yaml:1:1: error: expected a mapping with workflow and steps, got 5",),
    ),
    Row(
        "a list root",
        "- a\n- b\n",
        ('wf.yaml:1:1: error: expected a mapping with workflow and steps, got ["a","b"]',),
    ),
    Row(
        "a root that cannot be read",
        ".nan\n",
        ("wf.yaml:1:1: error: .nan is no number that JSON can hold; put it in quotes",),
    ),
    Row(
        "UTF-16",
        (HEAD + STEPS).encode("utf-16"),
        ("wf.yaml:1:1: error: the file is UTF-16 or UTF-32; save it as UTF-8",),
    ),
    Row(
        "UTF-16 without mark",
        (HEAD + STEPS).encode("utf-16-be"),
        ("wf.yaml:1:1: error: the file is UTF-16 or UTF-32; save it as UTF-8",),
    ),
    Row(
        "Latin-1",
        "workflow:\n  name: Käse\n".encode("latin-1"),
        ("wf.yaml:2:10: error: byte 0xe4 is not UTF-8; save the file as UTF-8",),
    ),
    Row(
        "Latin-1 after CRLF",
        "workflow:\r\n  name: Käse\r\n".encode("latin-1"),
        ("wf.yaml:2:10: error: byte 0xe4 is not UTF-8; save the file as UTF-8",),
    ),
    Row(
        "NUL",
        "workflow:\n  name: W\0\n" + STEPS,
        (
            (
                "wf.yaml:2:10: error: the character U+0000 is not allowed in YAML; write "
                '"\\x00" in double quotes'
            ),
        ),
    ),
    Row(
        "escape character",
        "workflow:\n  name: \x1b[31mW\n" + STEPS,
        (
            (
                'wf.yaml:2:9: error: the character U+001B is not allowed in YAML; write "\\x1b" '
                "in double quotes"
            ),
        ),
    ),
    Row(
        "a non-character",
        "workflow:\n  name: \ufffe\n" + STEPS,
        (
            (
                "wf.yaml:2:9: error: the character U+FFFE is not allowed in YAML; write "
                '"\\ufffe" in double quotes'
            ),
        ),
    ),
    Row(
        "half a surrogate pair",
        "workflow:\n  name: \ud800\n" + STEPS,
        ("wf.yaml:2:9: error: half of a surrogate pair is no character; delete it",),
    ),
    Row(
        "60,000 brackets",
        "[" * 60_000,
        ("wf.yaml:1:65: error: nested deeper than 64 levels",),
    ),
    Row(
        "60,000 braces",
        "{a: " * 60_000,
        ("wf.yaml:1:257: error: nested deeper than 64 levels",),
    ),
    Row(
        "60,000 dashes",
        "- " * 60_000,
        ("wf.yaml:1:129: error: nested deeper than 64 levels",),
    ),
    Row(
        "65 levels",
        value("[" * 63 + "]" * 63),
        ("wf.yaml:6:77: error: nested deeper than 64 levels",),
    ),
    Row(
        "65 levels by an alias",
        step("    inputs: {a: &a " + "[" * 60 + "]" * 60 + ", b: [[[*a]]]}\n"),
        ("wf.yaml:6:148: error: nested deeper than 64 levels",),
    ),
    Row(
        "too large",
        b"#" * (8 * 1024 * 1024 + 1),
        ("wf.yaml:1:1: error: the file is too large; at most 8,388,608 bytes are read",),
    ),
    Row(
        "too large as text",
        "é" * (4 * 1024 * 1024 + 1),
        ("wf.yaml:1:1: error: the file is too large; at most 8,388,608 bytes are read",),
    ),
)
