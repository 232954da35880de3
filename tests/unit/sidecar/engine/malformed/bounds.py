"""Numbers out of bounds, and declarations of inputs that make no sense."""

from tests.unit.sidecar.engine.malformed import HEAD, STEPS, Row, declaration, retry, step

ROWS = (
    Row(
        "timeout 0",
        step("    timeout: 0\n"),
        ("wf.yaml:6:14: error: expected at least 1 (milliseconds), got 0",),
    ),
    Row(
        "timeout below 0",
        step("    timeout: -1\n"),
        ("wf.yaml:6:14: error: expected at least 1 (milliseconds), got -1",),
    ),
    Row(
        "timeout of a month",
        step("    timeout: 3000000000\n"),
        (("wf.yaml:6:14: error: expected at most 86,400,000 (milliseconds), got 3,000,000,000"),),
    ),
    Row(
        "timeout as a float",
        step("    timeout: 3e4\n"),
        (
            (
                "wf.yaml:6:14: error: expected an integer (milliseconds), got a number "
                "(30000.0); did you mean 30000?"
            ),
        ),
    ),
    Row(
        "timeout left empty",
        step("    timeout:\n"),
        ("wf.yaml:6:13: error: expected an integer (milliseconds), got nothing (null)",),
    ),
    Row(
        "timeout in quotes",
        step("    timeout: '500'\n"),
        (
            (
                'wf.yaml:6:14: error: expected an integer (milliseconds), got text ("500"); '
                "delete the quotes; did you mean 500?"
            ),
        ),
    ),
    Row(
        "timeout 1:30",
        step("    timeout: 1:30\n"),
        ('wf.yaml:6:14: error: expected an integer (milliseconds), got text ("1:30")',),
    ),
    Row(
        "timeout with unit",
        step("    timeout: 2 min\n"),
        (
            (
                'wf.yaml:6:14: error: expected an integer (milliseconds), got text ("2 min"); '
                "did you mean 120000?"
            ),
        ),
    ),
    Row(
        "no attempts",
        retry("max_attempts: 0"),
        ("wf.yaml:6:34: error: expected at least 1, got 0",),
    ),
    Row(
        "101 attempts",
        retry("max_attempts: 101"),
        ("wf.yaml:6:34: error: expected at most 100, got 101",),
    ),
    Row(
        "attempts: yes",
        retry("max_attempts: yes"),
        ('wf.yaml:6:34: error: expected an integer, got text ("yes")',),
    ),
    Row(
        "first delay below 0",
        retry("initial_delay_ms: -1"),
        ("wf.yaml:6:38: error: expected at least 0 (milliseconds), got -1",),
    ),
    Row(
        "first delay beyond an hour",
        retry("initial_delay_ms: 3600001"),
        ("wf.yaml:6:38: error: expected at most 3,600,000 (milliseconds), got 3,600,001",),
    ),
    Row(
        "first delay in seconds",
        retry("initial_delay_ms: 0.5"),
        ("wf.yaml:6:38: error: expected an integer (milliseconds), got a number (0.5)",),
    ),
    Row(
        "multiplier below 1",
        retry("backoff_multiplier: 0.5"),
        ("wf.yaml:6:40: error: expected at least 1, got 0.5",),
    ),
    Row(
        "multiplier beyond 100",
        retry("backoff_multiplier: 100.5"),
        ("wf.yaml:6:40: error: expected at most 100, got 100.5",),
    ),
    Row(
        "multiplier as a word",
        retry("backoff_multiplier: two"),
        ('wf.yaml:6:40: error: expected a number, got text ("two")',),
    ),
    Row(
        "multiplier in quotes",
        retry("backoff_multiplier: '1.5'"),
        (
            (
                'wf.yaml:6:40: error: expected a number, got text ("1.5"); delete the quotes; '
                "did you mean 1.5?"
            ),
        ),
    ),
    Row(
        "longest delay below 0",
        retry("max_delay_ms: -5"),
        ("wf.yaml:6:34: error: expected at least 0 (milliseconds), got -5",),
    ),
    Row(
        "longest delay beyond an hour",
        retry("max_delay_ms: 99999999999"),
        (("wf.yaml:6:34: error: expected at most 3,600,000 (milliseconds), got 99,999,999,999"),),
    ),
    Row(
        "one error type, no list",
        retry("retry_on_error_types: ConnectionError"),
        (
            (
                'wf.yaml:6:42: error: expected a list, got text ("ConnectionError"); did you '
                "mean [ConnectionError]?"
            ),
        ),
    ),
    Row(
        "error types that are none",
        retry("retry_on_error_types: [1, '']"),
        (
            (
                "wf.yaml:6:43: error: expected text, got an integer (1); put it in quotes; did "
                'you mean "1"?'
            ),
            "wf.yaml:6:46: error: must not be empty",
        ),
    ),
    Row(
        "a retry policy wrong throughout",
        retry("max_attempts: 0, initial_delay_ms: -1, backoff_multiplier: 0, max_delay_ms: 1e9"),
        (
            "wf.yaml:6:34: error: expected at least 1, got 0",
            "wf.yaml:6:55: error: expected at least 0 (milliseconds), got -1",
            "wf.yaml:6:79: error: expected at least 1, got 0",
            (
                "wf.yaml:6:96: error: expected an integer (milliseconds), got a number "
                "(1000000000.0); did you mean 1000000000?"
            ),
        ),
    ),
    Row(
        "select without options",
        declaration("type: select"),
        ('wf.yaml:3:19: error: an input of type "select" needs options',),
    ),
    Row(
        "select with empty options",
        declaration("type: select, options: []"),
        ("wf.yaml:3:36: error: must have at least one entry",),
    ),
    Row(
        "options that are no text",
        declaration("type: select, options: [1, no, md, true]"),
        (
            (
                "wf.yaml:3:37: error: expected text, got an integer (1); put it in quotes; did "
                'you mean "1"?'
            ),
            (
                "wf.yaml:3:48: error: expected text, got a boolean (true); put it in quotes; "
                'did you mean "true"?'
            ),
        ),
    ),
    Row(
        "options on a number",
        declaration("type: number, options: [a]"),
        ('wf.yaml:3:36: error: options go with "select" or "string", not with "number"',),
    ),
    Row(
        "pattern on a number",
        declaration("type: number, pattern: '['"),
        ('wf.yaml:3:36: error: a pattern goes with "string", not with "number"',),
    ),
    Row(
        "bad pattern",
        declaration("type: string, pattern: '[a'"),
        (("wf.yaml:3:36: error: not a regular expression (RE2 syntax): unclosed character class"),),
    ),
    Row(
        "look-around pattern",
        declaration("type: string, pattern: '(?=a)b'"),
        (
            (
                "wf.yaml:3:36: error: not a regular expression (RE2 syntax): look-around, "
                "including look-ahead and look-behind, is not supported"
            ),
        ),
    ),
    Row(
        "back-reference in a pattern",
        declaration("type: string, pattern: '(a)\\1'"),
        (
            (
                "wf.yaml:3:36: error: not a regular expression (RE2 syntax): backreferences "
                "are not supported"
            ),
        ),
    ),
    Row(
        "a pattern that is too large",
        declaration("type: string, pattern: '((a{1000}){1000}){1000}'"),
        (
            (
                "wf.yaml:3:36: error: not a regular expression (RE2 syntax): Compiled regex "
                "exceeds size limit of 10485760 bytes"
            ),
        ),
    ),
    Row(
        "min above max",
        declaration("type: number, min: 5, max: 1.5"),
        ("wf.yaml:3:40: error: max (1.5) is less than min (5)",),
    ),
    Row(
        "min and max on a boolean",
        declaration("type: boolean, min: 1, max: 2"),
        (
            'wf.yaml:3:33: error: min goes with "number" or "string", not with "boolean"',
            'wf.yaml:3:41: error: max goes with "number" or "string", not with "boolean"',
        ),
    ),
    Row(
        "min as a word",
        declaration("type: number, min: five"),
        ('wf.yaml:3:32: error: expected a number, got text ("five")',),
    ),
    Row(
        "default of the wrong type",
        declaration("type: number, default: five"),
        (('wf.yaml:3:36: error: the default does not fit: expected a number, got text ("five")'),),
    ),
    Row(
        "default yes",
        declaration("type: boolean, default: yes"),
        (
            (
                "wf.yaml:3:37: error: the default does not fit: expected true or false, got "
                'text ("yes")'
            ),
        ),
    ),
    Row(
        "default not among the options",
        declaration("type: select, options: [md, html], default: mdd"),
        (
            (
                "wf.yaml:3:57: error: the default does not fit: expected one of md, html, got "
                '"mdd"; did you mean "md"?'
            ),
        ),
    ),
    Row(
        "default against the pattern",
        declaration("type: string, pattern: '^a', default: b"),
        (('wf.yaml:3:51: error: the default does not fit: "b" does not match the pattern ^a'),),
    ),
    Row(
        "default above max",
        declaration("type: number, max: 5, default: 6"),
        ("wf.yaml:3:44: error: the default does not fit: expected at most 5, got 6",),
    ),
    Row(
        "default too short",
        declaration("type: string, min: 3, default: ab"),
        (("wf.yaml:3:44: error: the default does not fit: expected at least 3 characters, got 2"),),
    ),
    Row(
        "default of a secret",
        declaration("type: string, secret: true, pattern: '^a', default: hunter2"),
        (
            (
                "wf.yaml:3:65: error: the default does not fit: its value is not what the "
                "declaration asks for"
            ),
        ),
    ),
    Row(
        "sizes in the drawing",
        HEAD
        + STEPS
        + (
            "ui_metadata:\n"
            "  nodes: [{id: a, position: {x: 1, y: 2}, width: 0, height: -1}]\n"
            "  viewport: {zoom: 0}\n"
        ),
        (
            "wf.yaml:5:50: error: expected more than 0, got 0",
            "wf.yaml:5:61: error: expected more than 0, got -1",
            "wf.yaml:6:20: error: expected more than 0, got 0",
        ),
    ),
)
