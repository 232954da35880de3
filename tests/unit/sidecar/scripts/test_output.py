"""One JSON object on stdout, and what is said of everything else."""

import json
import time

import pytest

from sidecar.scripts.output import InvalidOutput, parse_output

NOTHING = (
    "the script printed nothing on stdout; print one JSON object, e.g. print(json.dumps({...}))"
)
CUT_SHORT = "stdout ends in the middle of the JSON; was the script's output cut short?"
TO_STDERR = "; print to stderr instead: print(..., file=sys.stderr)"


@pytest.mark.parametrize(
    ("stdout", "value"),
    [
        (b"{}", {}),
        (b' \r\n\t{"a": 1}\n\n', {"a": 1}),
        (b'{\n  "a": [\n    1\n  ]\n}\n', {"a": [1]}),
        (b'\xef\xbb\xbf{"a": "\xc3\xbc"}', {"a": "ü"}),
        (b'{"a": 9007199254740993}', {"a": 2**53 + 1}),
        (b'{"a": 18446744073709551615}', {"a": 2**64 - 1}),
        (b'{"a": -9223372036854775808}', {"a": -(2**63)}),
        (b'{"a": 0.12345678901234567890123}', {"a": 0.12345678901234568}),
        (b'{"a": 12345678901234567890123.5}', {"a": 12345678901234567890123.5}),
        (b'{"a": 12345678901234567890123e2}', {"a": 1.2345678901234568e24}),
        (b'{"id": "12345678901234567890123", "b": "\\"99999999999999999999\\\\"}',
         {"id": "12345678901234567890123", "b": '"99999999999999999999\\'}),
        (b'{"a": "\\ud83d\\ude42"}', {"a": "🙂"}),
        (b'{"a": null, "b": true, "c": -1.5e3, "": ""}',
         {"a": None, "b": True, "c": -1500.0, "": ""}),
        (b'{"a": 1, "a": 2}', {"a": 2}),
        (b'{"a": ' + b"[" * 199 + b"]" * 199 + b"}", {"a": json.loads("[" * 199 + "]" * 199)}),
        (b'{"a": [' + b"[]," * 500 + b"1]}", {"a": [[]] * 500 + [1]}),
    ],
)  # fmt: skip
def test_object_is_read_exactly(stdout: bytes, value: dict[str, object]) -> None:
    assert parse_output(stdout) == value


@pytest.mark.parametrize(
    ("stdout", "message"),
    [
        (b"", NOTHING),
        (b" \n\n", NOTHING),
        (b"\xef\xbb\xbf\n", NOTHING),
        (
            'Loading model…\n{"a": 1}'.encode(),
            'stdout line 1 is not JSON: "Loading model…"' + TO_STDERR,
        ),
        (
            b'\n\n[INFO] starting\n{"a": 1}',
            'stdout line 3 is not JSON: "[INFO] starting"' + TO_STDERR,
        ),
        (b'3 files\n{"a": 1}', 'stdout line 1 is not JSON: "3 files"' + TO_STDERR),
        (b'true\n{"a": 1}', 'stdout line 1 is not JSON: "true"' + TO_STDERR),
        (b'\x1b[32mok\n{}', 'stdout line 1 is not JSON: "\\u001b[32mok"' + TO_STDERR),
        (b'{"a": 1}\r\ndone.\r\n', 'stdout line 2 after the JSON is not JSON: "done."' + TO_STDERR),
        (b"x" * 1000, 'stdout line 1 is not JSON: "' + "x" * 80 + '…"' + TO_STDERR),
        (
            b'{"a": 1}\n{"b": 2}\n',
            "stdout holds two JSON documents, the second from line 2; print one object",
        ),
        (
            b"{}[]",
            "stdout holds two JSON documents, the second from line 1; print one object",
        ),
        (
            b"{'a': 1}\n",
            "stdout looks like Python's repr, not JSON: \"{'a': 1}\"; use print(json.dumps(...))",
        ),
        (
            b'{"a": True}',
            'stdout looks like Python\'s repr, not JSON: "{\\"a\\": True}"; '
            "use print(json.dumps(...))",
        ),
        (
            b'{"a": datetime.date(2024, 1, 2)}',
            'stdout looks like Python\'s repr, not JSON: "{\\"a\\": datetime.date(2024, 1, 2)}"; '
            "use print(json.dumps(...))",
        ),
        (
            b'{"a": 1,}',
            'stdout line 1 is not JSON: "{\\"a\\": 1,}"' + TO_STDERR
            + " (Expecting property name enclosed in double quotes at column 9)",
        ),
        (b'{"a": [1, 2', CUT_SHORT),
        (b'{"a": "tex', CUT_SHORT),
        (b'{"a"', CUT_SHORT),
        (b"{", CUT_SHORT),
        (
            b'[1, 2]',
            "the script printed a JSON array, not an object; "
            "print one JSON object, e.g. print(json.dumps({...}))",
        ),
        *(
            (text, f"the script printed {kind}, not an object; "
             "print one JSON object, e.g. print(json.dumps({...}))")
            for text, kind in [(b'"x"', "a JSON string"), (b"3", "a number"), (b"1.5", "a number"),
                               (b"false", "true or false"), (b"null", "null")]
        ),
        (b'{"a": NaN}', "stdout holds NaN, which JSON does not have; print null or a string"),
        (
            b'{"a": -Infinity}',
            "stdout holds -Infinity, which JSON does not have; print null or a string",
        ),
        (
            b'{"a": 1e400}',
            'stdout holds the number "1e400", which JSON does not have; print null or a string',
        ),
        (
            b'{"a": [18446744073709551616]}',
            'stdout holds an integer beyond 64 bits, "18446744073709551616"; print it as a string',
        ),
        (
            b'{"a": -9223372036854775809}',
            'stdout holds an integer beyond 64 bits, "-9223372036854775809"; print it as a string',
        ),
        (
            b'{"a": ' + b"9" * 5000 + b"}",
            'stdout holds an integer beyond 64 bits, "' + "9" * 80 + '…"; print it as a string',
        ),
        *(
            (
                b'{"x": 1.5, "a": "' + half + b'"}',
                "stdout holds half a surrogate pair (\\ud800 … \\udfff), which is no character",
            )
            for half in (b"\\ud800", b"\\udc00", b"\\udc00\\ud800", b"\\ud800\\n")
        ),
        (
            b'{"a": "caf\xe9"}',
            'stdout line 1 is not UTF-8: "{\\"a\\": \\"café\\"}"; '
            "print text, or encode binary data, e.g. with base64",
        ),
        (
            b"{}\n\xff\xfe",
            'stdout line 2 is not UTF-8: "ÿþ"; print text, or encode binary data, e.g. with base64',
        ),
        (
            b'{"a": "\\ud800", "b": ' + b"[" * 100_000,
            "stdout holds JSON that is nested too deeply",
        ),
        (b'{"a":' * 2000 + b"1" + b"}" * 2000, "stdout holds JSON that is nested too deeply"),
        (b'{"a":' * 201 + b"1" + b"}" * 201, "stdout holds JSON of more than 200 levels"),
        (b'{"a": "x\ty"}', 'stdout line 1 is not JSON: "{\\"a\\": \\"x\\ty\\"}"' + TO_STDERR
         + " (Invalid control character at at column 9)"),
    ],
)  # fmt: skip
def test_anything_else_is_named_and_helped(stdout: bytes, message: str) -> None:
    with pytest.raises(InvalidOutput) as caught:
        parse_output(stdout)
    assert caught.value.message == message


def test_long_line_is_quoted_around_the_place() -> None:
    with pytest.raises(InvalidOutput) as caught:
        parse_output(b'{"a": [' + b"1, " * 1000 + b"oops, " + b"2, " * 1000 + b"3]}")
    assert "oops" in str(caught.value)
    assert len(str(caught.value)) < 300


@pytest.mark.parametrize(
    "stdout",
    [
        b"[" * 4_000_000,
        b'{"a": "' + b"\\" * 4_000_001 + b'"}',
        b'{"a": "' + b'\\"' * 2_000_000 + b'", "b": 9999999999999999999999}',
        b"\n" * 4_000_000 + b"x",
        b'{"a": ' + b"1" * 4_000_000 + b"}",
        b"{" + b'"a": 1, ' * 500_000 + b"}",
    ],
    ids=["brackets", "backslashes", "quotes", "lines", "digits", "keys"],
)
def test_hostile_output_takes_linear_time(stdout: bytes) -> None:
    started_s = time.process_time()
    with pytest.raises(InvalidOutput):
        parse_output(stdout)
    assert time.process_time() - started_s < 5
