"""What is hidden of values, texts and traces, and what is not."""

import base64
import html
import json
import math
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any
from urllib.parse import quote, quote_plus

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from sidecar.redaction import MARK, Redactor, is_secret_name
from sidecar.redaction.known import is_too_ordinary
from sidecar.redaction.shapes import MIN_CHARACTERS
from sidecar.redaction.vendors import SHAPES
from tests.unit.sidecar.redaction import samples
from tests.unit.sidecar.redaction.from_shapes import secrets_of

SECRET = 'cor/rect+ho=rse "bat\'tery" ü' + samples.letters(9)


# By value


@pytest.mark.parametrize(
    "shown",
    [
        SECRET,
        json.dumps(SECRET),
        json.dumps(SECRET, ensure_ascii=False),
        json.dumps(json.dumps({"x": SECRET})),
        json.dumps(SECRET, ensure_ascii=False).replace("/", "\\/"),
        repr(SECRET),
        html.escape(SECRET),
        quote(SECRET),
        quote(SECRET, safe=""),
        quote_plus(SECRET),
        quote(SECRET, safe="").replace("%2F", "%2f").replace("%2B", "%2b"),
        *(base64.b64encode(b"x" * n + SECRET.encode() + b"tail").decode() for n in range(4)),
        *(base64.urlsafe_b64encode(b"x" * n + SECRET.encode()).decode() for n in range(4)),
    ],
)
def test_known_value_is_hidden_in_whatever_form_it_turns_up(shown: str) -> None:
    redactor = Redactor([SECRET])
    for text in (shown, f"before {shown} after", f"{shown}{shown}", f"line\n{shown}\n"):
        hidden = redactor.text(text)
        assert MARK in hidden
        assert SECRET[:6] not in hidden
        assert shown[3:-3] not in hidden
        for n in range(3):
            middle = base64.b64encode(b"\0" * n + SECRET.encode()).decode()[4:-4]
            assert middle not in hidden


def test_known_value_is_hidden_in_keys_and_at_every_depth() -> None:
    value = {"a": [{"b": (f"x{SECRET}",)}], f"key {SECRET}": 1, f"key {MARK}": 2}
    assert Redactor([SECRET]).value(value) == {
        "a": [{"b": [f"x{MARK}"]}],
        f"key {MARK}": 1,
        f"key {MARK} (2)": 2,
    }


def test_overlapping_secrets_leave_nothing_of_each_other() -> None:
    redactor = Redactor(["abcdefgh1234", "1234ijklmnop", "cdefgh12"])
    assert redactor.text("<abcdefgh1234ijklmnop> <cdefgh12>") == f"<{MARK}> <{MARK}>"


def test_known_value_that_begins_like_a_token_is_hidden_to_its_end() -> None:
    secret = samples.VENDORS["GitHub token"][0] + "/and:a=tail"
    assert Redactor([secret]).text(f"got {secret}.") == f"got {MARK}."


def test_known_value_that_holds_a_path_is_hidden_to_its_end() -> None:
    assert Redactor(["/home/jane/q7-tail"]).error("in /home/jane/q7-tail") == f"in {MARK}"


def test_lines_of_a_secret_are_hidden_one_by_one() -> None:
    key = samples.private_key()
    redactor = Redactor([key])
    for line in key.splitlines():
        if len(line) >= 16:
            assert samples.letters(16) not in redactor.text(f"stderr: {line}")


def test_secrets_within_a_json_secret_are_hidden_by_themselves() -> None:
    inner = "x7" + samples.letters(12)
    redactor = Redactor(
        [json.dumps({"type": "service_account", "private_key": inner}), "{nojson12"]
    )
    assert redactor.text(f"key {inner}, type service_account") == (
        f"key {MARK}, type service_account"
    )


@pytest.mark.parametrize("value", ["1234", "hunter2", "production", "Password", "--------", ""])
def test_short_or_common_value_is_hidden_in_its_own_field_only(value: str) -> None:
    redactor = Redactor()
    redactor.add_secret(value, "mode")
    shown = redactor.value({"mode": value, "other": f"is {value} ok", "deep": [{"mode": 5}]})
    assert shown == {"mode": MARK, "other": f"is {value} ok", "deep": [{"mode": MARK}]}
    if value:
        assert redactor.text(f"mode: {value}, modes {value}") == f"mode: {MARK}, modes {value}"
        assert redactor.text(f'{{"mode":"{value}"}}') == f'{{"mode":"{MARK}"}}'


def test_field_without_a_value_shows_that_it_has_none() -> None:
    redactor = Redactor()
    redactor.add_secret("x", "mode")
    assert redactor.value({"mode": None}) == {"mode": None}


def test_secret_number_is_hidden_as_number_and_in_text() -> None:
    redactor = Redactor()
    redactor.add_secret(12345678)
    redactor.add_secret("87654321.5")
    assert redactor.value([12345678, 12345678.0, 123456789, "no 12345678", True, 87654321.5]) == [
        MARK,
        MARK,
        123456789,
        f"no {MARK}",
        True,
        MARK,
    ]
    redactor.add_secret(10**5000)
    assert redactor.value([math.inf, 10**400]) == [math.inf, 10**400]


def test_everything_in_a_secret_list_or_dict_is_secret() -> None:
    redactor = Redactor()
    redactor.add_secret({"a": ["first-one-1", {"b": 918273645}], "c": True, "d": None})
    assert redactor.text("first-one-1 918273645") == f"{MARK} {MARK}"


def test_secrets_are_learned_from_inputs_by_their_names() -> None:
    redactor = Redactor()
    redactor.learn({"list": [{"apiKey": "learned-value-1"}], "n": 1, "pin": "0007", "x": ("y",)})
    assert redactor.text("got learned-value-1") == f"got {MARK}"
    assert redactor.value({"pin": 7, "note": "0007"}) == {"pin": MARK, "note": "0007"}


def test_secret_that_is_part_of_the_mark_changes_nothing() -> None:
    redactor = Redactor([MARK, "REDACTED", f"{MARK}{MARK}"])
    assert redactor.text(f"x {MARK} y") == f"x {MARK} y"


# By name


def test_texts_under_secret_names_are_hidden_whole() -> None:
    shown = Redactor().value(
        {
            "api_key": "x",
            "nested": [{"Set-Cookie": "a"}],
            "credentials": {"type": "basic", "user": "u", "list": ["v", 5, None, True]},
            "tokens": ["a", 5],
            "password": "",
            "secret": True,
            "pin": 1234,
            "auth": 3,
            "token_count": 3,
            "author": "Jane",
        }
    )
    assert shown == {
        "api_key": MARK,
        "nested": [{"Set-Cookie": MARK}],
        "credentials": {"type": "basic", "user": MARK, "list": [MARK, MARK, None, True]},
        "tokens": [MARK, 5],
        "password": "",
        "secret": True,
        "pin": MARK,
        "auth": 3,
        "token_count": 3,
        "author": "Jane",
    }


def test_value_whose_name_stands_beside_it_is_hidden() -> None:
    value = {"env": [{"name": "DB_PASSWORD", "value": "x"}, {"name": "MODE", "value": "y"}]}
    assert Redactor().value(value) == {
        "env": [{"name": "DB_PASSWORD", "value": MARK}, {"name": "MODE", "value": "y"}]
    }
    assert Redactor().value({"key": "token"}) == {"key": "token"}


def test_pair_of_a_secret_name_and_a_value_is_hidden_and_names_of_columns_are_not() -> None:
    assert Redactor().value([["X-Api-Key", "a1"], ("cookie", "b=2"), ["password", "email"]]) == [
        ["X-Api-Key", MARK],
        ["cookie", MARK],
        ["password", "email"],
    ]
    assert Redactor().value(["token", "a1", "b2"]) == ["token", "a1", "b2"]


def test_argument_after_a_secret_flag_is_hidden() -> None:
    value = ["run", "--password", "x", "--token", "--verbose", "y", "-token", "z", "w"]
    assert Redactor().value(value) == [
        *("run", "--password", MARK, "--token", "--verbose", "y", "-token", MARK, "w")
    ]


# By assignment in text


@pytest.mark.parametrize(
    ("text", "hidden"),
    [
        ("PASSWORD=§", "PASSWORD=#"),
        ("export DB_PASSWORD='§'", "export DB_PASSWORD='#'"),
        ("DB_PASSWORD=a;b,c)§", "DB_PASSWORD=#"),
        ('{"password": "§", "n": 1}', '{"password": "#", "n": 1}'),
        ('{"password":"a\\"§"}', '{"password":"#"}'),
        ('"{\\"token\\": \\"§\\", \\"n\\": 1}"', '"{\\"token\\": \\"#\\", \\"n\\": 1}"'),
        ('"{\\"token\\": \\"a\\\\\\"§\\"}"', '"{\\"token\\": \\"#\\"}"'),
        ('"{\\"token\\": \\"§', '"{\\"token\\": \\"#'),
        ('"{\\"token\\": \\"§\nnext', '"{\\"token\\": \\"#\nnext'),
        ("{'api_key': '§'}", "{'api_key': '#'}"),
        ("api_key: §", "api_key: #"),
        ("password: hunter§", "password: #"),
        ("API key: §", "API key: #"),
        ("Connection string: §", "Connection string: #"),
        ("--password § --user bob", "--password # --user bob"),
        ("--token=§ x", "--token=# x"),
        ("['--password', '§']", "['--password', '#']"),
        ("<password>§ §</password>", "<password>#</password>"),
        ("login(password=§)", "login(password=#)"),
        ('password = "§"', 'password = "#"'),
        ('password: str = "§"', 'password: str = "#"'),
        ('if token == "§":', 'if token == "#":'),
        ('token = f"§"', 'token = f"#"'),
        ('secret = """§\n§""" + x', 'secret = """#""" + x'),
        ('secret = """§\n§', 'secret = """#'),
        ("Server=db;Password=§;Database=x", "Server=db;Password=#;Database=x"),
        ("https://h/p?access_token=§&x=1", "https://h/p?access_token=#&x=1"),
        ("https://h/p?sig=§12345678&x=1", "https://h/p?sig=#&x=1"),
        ("https://h/p?X-Amz-Signature=§12345678", "https://h/p?X-Amz-Signature=#"),
        ("Authorization: Bearer §", "Authorization: #"),
        ("curl -H 'Authorization: Basic §' https://h", "curl -H 'Authorization: #' https://h"),
        ('Cookie: a="§"; b=§\nHost: h', "Cookie: #\nHost: h"),
        ("b'Set-Cookie: a=§\\r\\nHost: h'", "b'Set-Cookie: #\\r\\nHost: h'"),
        ("sent Bearer §1234567 to", "sent Bearer # to"),
        ("sent basic dXNlcjpwYXNz§", "sent basic #"),
        ("curl -u bob:§ https://h", "curl -u bob:# https://h"),
        ("curl -ubob:§ https://h", "curl -ubob:# https://h"),
        ('os.environ["API_KEY"] = "§"', 'os.environ["API_KEY"] = "#"'),
        ("config['password'] = '§'", "config['password'] = '#'"),
        ("user[password]=§&x=1", "user[password]=#&x=1"),
        ("passwords[db]=§", "passwords[db]=#"),
        ("user%5Bpassword%5D=§&x=1", "user%5Bpassword%5D=#&x=1"),
        ("x%3D1%26token%3D§%26y", "x%3D1%26token%3D#%26y"),
        ("%7B%22token%22%3A%22§%22%7D", "%7B%22token%22%3A%22#%22%7D"),
        ("('password', '§8')", "('password', '#')"),
        ('[["Authorization", "Bearer §8"]]', '[["Authorization", "#"]]'),
        ('environ.get("TOKEN", "§8")', 'environ.get("TOKEN", "#")'),
        ("Token('§')", "Token('#')"),
        ("password=SecretStr('§')", "password=SecretStr('#')"),
        ("auth=('bob', '§')", "auth=('#', '#')"),
        ("HTTPBasicAuth('bob', '§')", "HTTPBasicAuth('#', '#')"),
        ('{"credentials": {"user": "§", "n": ["§"]}, "x": "y"}', None),
        (
            '"credentials": {\n  "user": "§"\n}, "x": 1',
            '"credentials": {\n  "user": "#"\n}, "x": 1',
        ),
        ('<add key="ApiKey" value="§"/>', '<add key="ApiKey" value="#"/>'),
        ('<setting name="api_key">§</setting>', '<setting name="api_key">#</setting>'),
        ('{"name": "DB_PASSWORD", "value": "§"}', '{"name": "DB_PASSWORD", "value": "#"}'),
        ("- name: DB_PASSWORD\n  value: §\n", "- name: DB_PASSWORD\n  value: #\n"),
        ("password: |\n  §\n  §\nnext: 1", "password: |\n  #\nnext: 1"),
        ("password: >-\n  a §", "password: >-\n  #"),
        ("password:\n  §1234\nx: 1", "password:\n  #\nx: 1"),
        ('password = (\n    "§"\n)', 'password = (\n    "#"\n)'),
        ("password: !vault §", "password: !vault #"),
        ("password: !!str &a §", "password: !!str &a #"),
        ("passphrase: correct horse §", "passphrase: #"),
        ("PASSWORD ?= §", "PASSWORD ?= #"),
        ('if password != "§":', 'if password != "#":'),
        ('let token: string = "§"', 'let token: string = "#"'),
        ("java -password § x", "java -password # x"),
        ("ENV API_KEY §", "ENV API_KEY #"),
        ("setx TOKEN §", "setx TOKEN #"),
        ('#define PASSWORD "§"', '#define PASSWORD "#"'),
        ("proxy_set_header X-Api-Key §;", "proxy_set_header X-Api-Key #;"),
        ("requirepass §", "requirepass #"),
        ("CREATE USER x IDENTIFIED BY '§'", "CREATE USER x IDENTIFIED BY '#'"),
        ("ALTER USER x WITH PASSWORD '§'", "ALTER USER x WITH PASSWORD '#'"),
        ("sshpass -p '§' ssh h", "sshpass -p '#' ssh h"),
        ("mysql -u root -p§ db", "mysql -u root -p# db"),
        ("docker login -u u -p § reg", "docker login -u u -p # reg"),
        ("token §1234 was rejected", "token # was rejected"),
        ("Incorrect API key provided: §1234.", "Incorrect API key provided: #."),
        ("the password is §1234, he said", "the password is #, he said"),
        ("wrong password '§1234'", "wrong password '#'"),
        ("Password for bob: §1234", "Password for bob: #"),
        ("machine h login u password §1234", "machine h login u password #"),
        ("https://h/p?key=§1234567890ab&x=1", "https://h/p?key=#&x=1"),
        ("https://h/cb?code=§1234567890ab&state=x", "https://h/cb?code=#&state=x"),
        ("jdbc:oracle:thin:app/§@h:1521", "jdbc:oracle:thin:app/#@h:1521"),
        ("https://§12345678@github.com/x", "https://#@github.com/x"),
        ("postgres://app:§@db:5432/x", "postgres://app:#@db:5432/x"),
        ("redis://:§@cache", "redis://:#@cache"),
        ("https://u:p@§@h/x", "https://u:#@h/x"),
        ("https:\\/\\/u:§@h\\/x", "https:\\/\\/u:#@h\\/x"),
        (f"https://{samples.letters(24)}:x-oauth-basic@github.com", "https://#@github.com"),
        (f"https://{samples.letters(24)}@github.com/x", "https://#@github.com/x"),
    ],
)
def test_what_is_assigned_to_a_secret_name_is_hidden(text: str, hidden: str | None) -> None:
    hidden = (hidden or text.replace("§", "#")).replace("#", MARK)
    hidden = hidden.replace(f"{MARK}define", "#define")
    text = text.replace("§", "Zq9x")
    assert Redactor().text(text) == hidden
    assert Redactor().text(f"before {text}") == f"before {hidden}"


# By shape

#: What stands around tokens, the end of an escape or of a colour among it.
AROUND = [
    *(
        ("", ""),
        ("got ", " here"),
        ('x"', '"'),
        ("(", "),"),
        ("é", "\n"),
        ("§ ", ", "),
        ("x:", "'"),
    ),
    *(("\\n", "\\n"), ('"\\t', '\\t"'), ("\\u003D", "\\u0026"), ("x%3D", "&y")),
    *(("\x1b[31m", "\x1b[0m"), ("<b>", "</b>")),
]


@pytest.mark.parametrize("shape", SHAPES, ids=lambda shape: shape.name)
def test_token_of_a_vendor_is_hidden(shape: Any) -> None:
    documented = [("", token) for token in samples.VENDORS.get(shape.name, [])]
    cases = documented + samples.VENDOR_URLS.get(shape.name, []) + secrets_of(shape)
    assert shape.source
    for prefix, token in cases:
        assert any(mark in prefix + token for mark in shape.marks)
        for before, after in AROUND:
            text = f"{before}{prefix}{token}{after}"
            assert Redactor().text(text) == f"{before}{prefix}{MARK}{after}"
        # Cut in the middle, it is no token, or a shorter one; it never grows.
        assert len(token) >= MIN_CHARACTERS
        assert Redactor().text(token[:4]) == token[:4]


def test_each_shape_of_the_table_has_a_name_of_its_own() -> None:
    assert len({shape.name for shape in SHAPES}) == len(SHAPES)
    assert set(samples.VENDORS) | set(samples.VENDOR_URLS) <= {shape.name for shape in SHAPES}


def test_tokens_without_a_gap_between_them_are_all_hidden() -> None:
    tokens = [tokens[0] for tokens in samples.VENDORS.values()]
    left = []
    for first, second, third in zip(tokens, tokens[1:], tokens[2:], strict=False):
        hidden = Redactor().text(f"{first}{second}{third}")
        left.append(len(hidden) - hidden.count(MARK) * len(MARK))
    # Where a token's begin is taken for the end of the one before, some letters may stay.
    assert sum(letters > 24 for letters in left) <= len(left) // 10, left


@pytest.mark.parametrize("shape", [shape for shape in SHAPES if shape.apart], ids=lambda s: s.name)
def test_what_begins_like_an_ordinary_syllable_is_no_token_within_a_word(shape: Any) -> None:
    for prefix, token in secrets_of(shape):
        text = f"mon{prefix}{token}"
        assert Redactor().text(text) == text


@pytest.mark.parametrize(
    "key",
    [samples.private_key(kind) for kind in ("", "RSA ", "EC ", "OPENSSH ", "ENCRYPTED ")]
    + [samples.private_key("PGP ").replace("KEY-", "KEY BLOCK-")],
    ids=["plain", "rsa", "ec", "openssh", "encrypted", "pgp"],
)
def test_private_key_is_hidden_with_its_frame(key: str) -> None:
    redactor = Redactor()
    assert redactor.text(f"a\n{key}\nb {key} c") == f"a\n{MARK}\nb {MARK} c"
    assert redactor.text(json.dumps({"x": key})) == json.dumps({"x": MARK})
    cut = key[: key.index("-----END") - 8]
    assert redactor.text(f"a {cut}") == f"a {MARK}"
    assert redactor.text(json.dumps(cut)[:-1]) == f'"{MARK}'


def test_end_line_of_something_else_does_not_swallow_what_lies_between() -> None:
    text = "-----BEGIN PRIVATE KEY-----\nand " + "prose " * 12_000 + "-----END PRIVATE KEY-----"
    assert Redactor().text(text).startswith(f"{MARK}\nand prose")


def test_web_token_is_hidden() -> None:
    token = samples.jwt()
    assert Redactor().text(f"x={token}, {token}") == f"x={MARK}, {MARK}"
    assert Redactor().text(token.rpartition(".")[0]) == MARK
    assert Redactor().text("eyJhbGciOiJIUz.min.js") == "eyJhbGciOiJIUz.min.js"


@pytest.mark.parametrize("text", samples.HARMLESS)
def test_what_only_looks_like_a_secret_stays(text: str) -> None:
    redactor = Redactor([SECRET, samples.letters(20)[::-1]], Path("/srv/project"))
    assert redactor.text(text) == text
    assert redactor.value({"x": [text]}) == {"x": [text]}


# Paths

TRACE = """Traceback (most recent call last):
  File "/srv/my project/scripts/a.py", line 3, in main
    run("/srv/my project/data", "/home/jane/x.csv")
  File "/usr/lib/python3.11/json/decoder.py", line 355, in raw_decode
  File "/odd/place/b.py", line 1, in <module>
  File "<frozen importlib._bootstrap>", line 1, in _find
  File "C:\\\\Users\\\\jane\\\\c.py", line 9, in f
ValueError: token=Zq9x8 in /srv/my project2/x and /srv/my project"""


def test_stack_trace_keeps_files_lines_and_functions_and_no_folder_outside() -> None:
    assert Redactor(project=Path("/srv/my project")).stack_trace(TRACE) == (
        f"""Traceback (most recent call last):
  File "scripts/a.py", line 3, in main
    run("data", "x.csv")
  File "decoder.py", line 355, in raw_decode
  File "b.py", line 1, in <module>
  File "<frozen importlib._bootstrap>", line 1, in _find
  File "c.py", line 9, in f
ValueError: token={MARK} in my project2/x and ."""
    )


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("No such file: /etc/ssl/x.pem", "No such file: x.pem"),
        ("'/home/Jane Doe/my file.csv' is gone", "'my file.csv' is gone"),
        ("C:\\Users\\jane\\x.csv and \\\\host\\share\\y.csv", "x.csv and y.csv"),
        ("open /srv/project/a/b.py:3", "open a/b.py:3"),
        ("in /srv/project", "in ."),
        ("in '/srv/project/'", "in './'"),
        ("file:///etc/hosts", "file://hosts"),
        ("https://host/home/x?y=1 and http://[::1]/usr/lib", None),
        ("GET '/api/v1/users' and /api/v1/users", None),
        ("a/b/c, ./usr/lib, text/html, 1/2, /, //", None),
    ],
)
def test_error_shows_no_absolute_path(text: str, shown: str | None) -> None:
    redactor = Redactor(project=Path("/srv/project"))
    assert redactor.error(text) == (text if shown is None else shown)


def test_linked_project_is_known_by_both_its_names(tmp_path: Path) -> None:
    (tmp_path / "real").mkdir()
    (tmp_path / "link").symlink_to("real")
    redactor = Redactor(project=tmp_path / "link")
    assert redactor.error(f"{tmp_path}/real/a {tmp_path}/link/a") == "a a"


def test_home_with_a_space_in_it_does_not_show(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", "/Users/Jane Doe")
    assert Redactor().error("open /Users/Jane Doe/docs/x.csv now") == "open x.csv now"


def test_root_that_cannot_be_listed_leaves_the_known_folders(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    from sidecar.redaction import paths

    def fail(_: Path) -> Any:
        raise PermissionError

    monkeypatch.setattr(Path, "iterdir", fail)
    assert paths._folders_at_root.__wrapped__() == frozenset()


# In general


class Hostile(str):
    """Text that cannot be read."""

    __slots__ = ()

    def __len__(self) -> int:
        raise RuntimeError


def test_mark_stands_where_redaction_fails() -> None:
    redactor = Redactor()
    assert redactor.value({"a": Hostile("x"), "b": 1}) == {"a": MARK, "b": 1}
    for show in (redactor.text, redactor.stack_trace, redactor.error):
        assert show(Hostile("x")) == MARK


def test_what_json_does_not_have_is_hidden() -> None:
    assert Redactor().value([b"x", {1}, Path("x"), object()]) == [MARK] * 4
    assert Redactor().value({1: "a", None: "b"}) == {"1": "a", "None": "b"}


def test_value_nested_too_deeply_is_cut_with_the_mark() -> None:
    deep: Any = "x"
    for _ in range(5_000):
        deep = [deep]
    shown = json.dumps(Redactor().value(deep))
    assert shown == "[" * 200 + f'"{MARK}"' + "]" * 200
    hidden = json.dumps(Redactor().value({"password": deep, "p": [{"secret": {"x": deep}}]}))
    assert '"x"' not in hidden.replace('"x":', "")
    Redactor().add_secret(deep)
    Redactor().learn(deep)


def is_ordinary_name(name: str) -> bool:
    return not is_secret_name(name)


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text().filter(is_ordinary_name), inner),
    max_leaves=10,
)
pieces = st.lists(
    st.sampled_from(
        [
            *(
                "password",
                "token",
                "--secret",
                "Authorization",
                "cookie",
                "eyJ",
                "://",
                "user",
                "@",
            ),
            *("=", ": ", ":", " ", '"', "'", "\\", '\\"', "\n", ";", ",", "&", "<", ">", "[", "]"),
            *(
                MARK,
                "abc",
                "Zq9x",
                SECRET,
                "/home/x",
                'File "',
                "Bearer ",
                "-----BEGIN PRIVATE KEY",
            ),
            *(samples.VENDORS["npm token"][0], samples.VENDORS["Twilio key"][0], "…", "%3D", "\\n"),
            *("-----", "\n-----END PRIVATE KEY-----", samples.letters(20), samples.jwt(), "key"),
            *("api", "true", "512", "${env.X}", '"""', " -u ", "a:b", "(", ")", "."),
        ]
    ),
    max_size=12,
).map("".join)


@settings(max_examples=300)
@given(pieces)
@example(' -u Authorization:password"""\\n')
def test_nothing_more_is_hidden_the_second_time(text: str) -> None:
    redactor = Redactor([SECRET], Path("/srv/project"))
    redactor.add_secret("abc", "user")
    for show in (redactor.text, redactor.error, redactor.stack_trace):
        once = show(text)
        assert SECRET not in once
        assert show(once) == once


@settings(max_examples=200)
@given(pieces)
def test_text_grows_to_no_more_than_four_times_its_length(text: str) -> None:
    redactor = Redactor([SECRET], Path("/srv/project"))
    redactor.add_secret("abc", "user")
    assert len(redactor.stack_trace(text)) <= 4 * len(text) + len(MARK)


ESCAPINGS: dict[str, Callable[[str], str]] = {
    "json": json.dumps,
    "unicode in json": lambda text: json.dumps(text, ensure_ascii=False),
    "slashes": lambda text: text.replace("\\", "\\\\").replace("/", "\\/"),
    "as Go writes JSON": lambda text: (
        json.dumps(text).replace("&", "\\u0026").replace("<", "\\u003C")
    ),
    "repr": repr,
    "bytes": lambda text: repr(text.encode()),
    "percent": lambda text: quote(text, safe=""),
    "small percent": lambda text: quote(text, safe="!~*'()").lower(),
    "every character": lambda text: "".join(f"%{byte:02X}" for byte in text.encode()),
    "form": quote_plus,
    "html": html.escape,
    "numbers in html": lambda text: "".join(f"&#{ord(char)};" for char in text),
}


@settings(max_examples=600)
@given(
    st.text(st.sampled_from("abcXYZ019 /+=&<>\"'\\%\n-_ü\U0001f680"), min_size=12).filter(
        lambda text: not is_too_ordinary(text.strip()) and len(set(text)) > 4
    ),
    st.sampled_from(sorted(ESCAPINGS)),
    st.sampled_from(["", *sorted(ESCAPINGS)[:3]]),
    st.text("ab %\\&", max_size=5),
)
def test_known_value_is_hidden_however_it_was_escaped(
    secret: str, first: str, second: str, around: str
) -> None:
    if first == "small percent":
        secret = secret.lower()
    shown = ESCAPINGS[first](secret)
    if second:
        shown = ESCAPINGS[second](shown)
    redactor = Redactor([secret])
    assert MARK in redactor.text(f"{around} {shown} {around}")
    assert shown not in redactor.text(f"{around} {shown} {around}")


def test_known_value_is_hidden_in_base64_of_many_lines_and_in_hex() -> None:
    secret = samples.letters(26) * 9
    wrapped = base64.encodebytes(b"{" + secret.encode() + b"}").decode()
    redactor = Redactor([secret])
    for text in (
        wrapped,
        wrapped.replace("\n", "\r\n  "),
        json.dumps({"x": wrapped}),
        secret.encode().hex(),
    ):
        hidden = redactor.text(f"a {text} b")
        assert MARK in hidden
        assert not any(line[2:-2] in hidden for line in wrapped.split())


@settings(max_examples=100)
@given(json_values)
def test_value_without_secrets_comes_back_equal_and_copied(value: Any) -> None:
    shown = Redactor(project=Path("/srv/project")).value(value)
    assert shown == value
    if value and isinstance(value, (dict, list)):
        assert shown is not value


#: How much more time hostile text may take than a traceback of the same length.
SLOWEST = 12

HOSTILE = [
    *("…", "a…", "x" * 60 + "…", "://a:b…", "[… 1 bytes left out …]", SECRET[:8] + "…"),
    *("a", "=", "password=", "--password ", "password: '", 'password="""', 'password=\\"', "eyJ"),
    *('password=\\\\"', "Cookie: the ", "token=a(", "token: a ", "://", "://a:", "://a@", "a."),
    *("-----BEGIN PRIVATE KEY-----", "-----BEGIN PRIVATE KEY-----A", "-----END ", "eyJaaaaaaaaa."),
    *("sk-", "AKIA", "xoxb-", "Q~", "pat", "-us", "hf_", "0123456789:A", "/home", "/home/a", '"/'),
    *('File "/', "bearer ", "\\", '\\"', ";a", "=a;", " -u ", "?sig=", "<password>", "key: ", "\n"),
    *(
        "%41",
        "\\u0041",
        "\\x41",
        "&amp;",
        "\\\\",
        'name="token" value=',
        "password: |\n ",
        "password:\n",
    ),
    *(
        "password: ",
        'password("',
        "auth=[",
        'auth=["a",',
        "token: {",
        'token: {"a":',
        "token ",
        "api key ",
    ),
    *(
        "token is for a ",
        "mysql -p",
        "login ",
        "sshpass -p",
        "ENV A ",
        "PASSWORD '",
        "?key=",
        "code=1",
    ),
    *(
        "token%3D",
        "%5D=",
        "[a]",
        "a[b]",
        '"a",',
        "('a', ",
        "-a ",
        "npm_",
        "fo1_",
        "EAAA",
        "A" * 19,
        "t1.",
    ),
    *(
        "f" * 31,
        "0/0000000000000000",
        "MNO",
        "passphrase: ",
        "secret: !a ",
        "def a(token: Ab, ",
        "İ token",
    ),
    *("C:\\", SECRET[:12], "x" * 14 + " ", "M" * 24 + ".", "é", '"', "'", "password=`", " "),
]


@pytest.mark.parametrize("prefix", ["", "password="])
@pytest.mark.parametrize("piece", HOSTILE)
def test_hostile_text_takes_time_linear_in_its_length(piece: str, prefix: str) -> None:
    redactor = Redactor([SECRET], Path("/srv/project"))

    redactor.add_secret("abc", "user")
    n = 10_000
    texts = [prefix + piece * (size // len(piece)) for size in (n, 2 * n)]
    ordinary = (TRACE * (2 * n // len(TRACE) + 1))[: 2 * n]
    best = [math.inf] * 3
    # Of the processor's time; a busy machine gets a few more chances, quadratic time has none.
    for _ in range(8):
        for index, text in enumerate((*texts, ordinary)):
            begin = time.process_time()
            redactor.stack_trace(text)
            best[index] = min(best[index], time.process_time() - begin)
        if best[1] < 2.5 * best[0] and best[1] < SLOWEST * best[2]:
            return
    assert best[1] / best[0] < 2.5
    assert best[1] / best[2] < SLOWEST
