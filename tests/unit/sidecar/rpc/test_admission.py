"""Requests and who is let in; nothing here is sent anywhere."""

import pytest
from websockets.datastructures import Headers
from websockets.http11 import Request

from sidecar.rpc.admission import Admission, Page, too_many

TOKEN = "the-right-token"
PAGE = Page("text/html; charset=utf-8", b"<p>hi</p>", {"Content-Security-Policy": "default-src"})
UPGRADE = [("Upgrade", "websocket"), ("Connection", "Upgrade")]
ADMISSION = Admission(TOKEN, ["http://127.0.0.1:5000", "app://local"], {"/": PAGE, "/a.js": PAGE})


def status(
    path: str = f"/?token={TOKEN}",
    *more: tuple[str, str],
    host: str | None = "127.0.0.1:5000",
    upgrade: bool = True,
    method: str = "GET",
    admission: Admission = ADMISSION,
) -> int:
    """The status of the refusal; 101 for a request that is let in."""
    headers = Headers([*([("Host", host)] if host is not None else []), *more])
    for name, value in UPGRADE if upgrade else []:
        headers[name] = value
    refusal = admission.refusal(Request(path, headers, method))
    return 101 if refusal is None else refusal.status_code


@pytest.mark.parametrize(
    ("path", "authorization", "expected"),
    [
        (f"/?token={TOKEN}", None, 101),
        (f"/?a=b&token={TOKEN}&c", None, 101),
        (f"/?token=wrong&token={TOKEN}", None, 101),
        ("/", f"Bearer {TOKEN}", 101),
        ("/", f"bearer  {TOKEN}", 101),
        ("/?token=wrong", f"Bearer {TOKEN}", 101),
        ("/", None, 401),
        ("/?token=", None, 401),
        (f"/?token={TOKEN[:-1]}", None, 401),
        (f"/?token={TOKEN}x", None, 401),
        (f"/?token=%20{TOKEN}", None, 401),
        ("/?token=t%C3%B6ken%FF", None, 401),
        (f"/?TOKEN={TOKEN}", None, 401),
        ("/", TOKEN, 401),
        ("/", f"Basic {TOKEN}", 401),
        ("/", f"Bearer {TOKEN} {TOKEN}", 401),
        ("/", "Bearer t\xf6ken", 401),
        ("/?" + "a=b&" * 100 + f"token={TOKEN}", None, 401),
        (f"/other?token={TOKEN}", None, 404),
        (f"//?token={TOKEN}", None, 404),
        (f"http://127.0.0.1/?token={TOKEN}", None, 404),
    ],
)
def test_only_the_token_lets_in(path: str, authorization: str | None, expected: int) -> None:
    more = [] if authorization is None else [("Authorization", authorization)]
    assert status(path, *more) == expected


@pytest.mark.parametrize(
    "host", ["127.0.0.1", "localhost", "[::1]", "127.0.0.1:1", "LocalHost:65535", "[::1]:80"]
)
def test_a_loopback_host_is_let_in(host: str) -> None:
    assert status(host=host) == 101


@pytest.mark.parametrize(
    "host",
    [
        None,
        "",
        "evil.example",
        "127.0.0.1.evil.example",
        "evil.example:127.0.0.1",
        "localhost.evil.example",
        "localhost.",
        "xlocalhost",
        "user@localhost",
        "127.0.0.2",
        "127.1",
        "0.0.0.0",  # noqa: S104
        "2130706433",
        "::1",
        "[::ffff:127.0.0.1]",
        "[::1",
        "127.0.0.1:",
        "127.0.0.1:80:80",
        "127.0.0.1:x",
        "127.0.0.1, evil.example",
    ],
)
@pytest.mark.parametrize("upgrade", [True, False])
def test_any_other_host_is_refused_on_every_route(host: str | None, upgrade: bool) -> None:
    assert status(host=host, upgrade=upgrade) == 403
    assert status("/a.js", host=host, upgrade=upgrade) == 403


def test_two_hosts_are_refused_even_if_both_are_good() -> None:
    assert status("/", ("Host", "localhost")) == 403


@pytest.mark.parametrize("origin", ["http://127.0.0.1:5000", "app://local"])
def test_an_allowed_origin_is_let_in(origin: str) -> None:
    assert status(f"/?token={TOKEN}", ("Origin", origin)) == 101


@pytest.mark.parametrize(
    "origin",
    [
        "",
        "null",
        "http://127.0.0.1:5001",
        "http://127.0.0.1:50000",
        "http://127.0.0.1",
        "https://127.0.0.1:5000",
        "HTTP://127.0.0.1:5000",
        "http://127.0.0.1:5000/",
        "http://127.0.0.1:5000.evil.example",
        "http://evil.example",
        "app://local.evil",
        "file://",
    ],
)
@pytest.mark.parametrize("upgrade", [True, False])
def test_any_other_origin_is_refused_token_or_not(origin: str, upgrade: bool) -> None:
    assert status(f"/?token={TOKEN}", ("Origin", origin), upgrade=upgrade) == 403
    assert status("/", ("Origin", origin), upgrade=upgrade) == 403


def test_without_origins_none_is_allowed_and_two_are_never_one() -> None:
    closed = Admission(TOKEN)
    assert status(f"/?token={TOKEN}", ("Origin", "app://local"), admission=closed) == 403
    both = [("Origin", "app://local"), ("Origin", "app://local")]
    assert status(f"/?token={TOKEN}", *both) == 403


def test_plain_gets_are_answered_from_the_table_alone() -> None:
    refusal = ADMISSION.refusal(Request("/a.js?v=1", Headers({"Host": "localhost"})))
    assert refusal is not None
    assert (refusal.status_code, bytes(refusal.body)) == (200, PAGE.body)
    headers = {name.lower(): value for name, value in refusal.headers.raw_items()}
    assert headers == {
        "connection": "close",
        "content-type": "text/html; charset=utf-8",
        "content-length": "9",
        "x-content-type-options": "nosniff",
        "cache-control": "no-store",
        "content-security-policy": "default-src",
    }
    for path in ("/b.js", "/a.js/", "/../a.js", "/%61.js", "a.js", "", "//", "/A.JS"):
        assert status(path, upgrade=False) == 404


def test_without_pages_a_plain_get_is_told_to_upgrade_or_finds_nothing() -> None:
    closed = Admission(TOKEN)
    refusal = closed.refusal(Request("/", Headers({"Host": "localhost"})))
    assert refusal is not None
    assert refusal.status_code == 426
    assert refusal.headers["Upgrade"] == "websocket"
    assert status("/favicon.ico", upgrade=False, admission=closed) == 404
    # The token opens nothing but the WebSocket.
    assert status(f"/?token={TOKEN}", upgrade=False, admission=closed) == 426
    assert status("/", ("Upgrade", "h2c"), upgrade=False, admission=closed) == 426


@pytest.mark.parametrize("method", ["POST", "HEAD", "OPTIONS", "CONNECT", "get"])
def test_no_other_method_is_served(method: str) -> None:
    assert status(method=method) == 405
    assert status("/", method=method, upgrade=False) == 405


def test_no_response_has_a_cors_header_or_shows_the_token() -> None:
    requests = [
        Request(f"/?token={TOKEN}", Headers({"Host": "evil"})),
        Request(f"/?token={TOKEN}", Headers({"Host": "localhost", "Origin": "http://evil"})),
        Request(f"/x?token={TOKEN}", Headers({"Host": "localhost"})),
        Request(f"/?token={TOKEN}x", Headers({"Host": "localhost", "Upgrade": "websocket"})),
    ]
    for response in [ADMISSION.refusal(request) for request in requests] + [too_many(5)]:
        assert response is not None
        sent = response.serialize().lower()
        assert b"access-control" not in sent
        assert TOKEN.encode() not in sent
    assert TOKEN not in repr(ADMISSION)
