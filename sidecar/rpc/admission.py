"""Who may come in over HTTP: one request → a response that ends it, or the way to a WebSocket.

Any web page can reach a loopback port, and so can every user of the machine. So a request must
name us by a loopback `Host` (DNS rebinding), come from no web page or from one that was allowed
(`Origin`), and bring the token; all of it is checked before the upgrade. Plain GETs get files of a
fixed table or a refusal, and never have an effect. It does no I/O and writes no log; it knows the
token and shows it to nobody.
"""

import hmac
import re
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field
from http import HTTPStatus
from types import MappingProxyType
from typing import Final
from urllib.parse import parse_qs

from websockets.datastructures import Headers
from websockets.http11 import Request, Response

#: What a browser, or a client on this machine, calls us; any port, since it may be forwarded.
_HOST: Final = re.compile(r"(?:127\.0\.0\.1|localhost|\[::1\])(?::[0-9]{1,5})?", re.IGNORECASE)
_BEARER: Final = re.compile(r"Bearer +(\S+) *", re.IGNORECASE)
#: Where the WebSocket is.
_PATH: Final = "/"
#: A request has the token and perhaps a little more; parsing many fields takes time.
_MAX_QUERY_FIELDS: Final = 20


@dataclass(frozen=True, slots=True)
class Page:
    """A file that a plain GET of its path gets, with headers such as Content-Security-Policy."""

    content_type: str
    body: bytes
    headers: Mapping[str, str] = field(default_factory=dict)


NO_PAGES: Final[Mapping[str, Page]] = MappingProxyType({})


class Admission:
    """Decides on requests. `origins` are allowed beside none at all, exactly as they are written;
    `pages` are the files that plain GETs get, by path."""

    def __init__(
        self, token: str, origins: Collection[str] = (), pages: Mapping[str, Page] = NO_PAGES
    ) -> None:
        self._token = token.encode()
        self._origins = frozenset(origins)
        self._pages = pages

    def refusal(self, request: Request) -> Response | None:
        """The response that ends the request, be it a page; None when it may be upgraded."""
        headers = request.headers
        if not _is_one(headers.get_all("Host"), _HOST.fullmatch):
            names = "127.0.0.1, localhost or [::1]"
            return _refusal(HTTPStatus.FORBIDDEN, f"the Host header must name {names}")
        origins = headers.get_all("Origin")
        if origins and not _is_one(origins, self._origins.__contains__):
            text = "web pages of this Origin may not connect; --allow-origin allows one"
            return _refusal(HTTPStatus.FORBIDDEN, text)
        if request.method != "GET":
            return _refusal(HTTPStatus.METHOD_NOT_ALLOWED, "only GET is served", {"Allow": "GET"})
        path, _, query = request.path.partition("?")
        if not _asks_for_websocket(headers):
            return self._plain(path)
        if path != _PATH:
            return _refusal(HTTPStatus.NOT_FOUND, f"the WebSocket is at {_PATH}")
        if not self._has_token(query, headers):
            text = "the token is missing or wrong; the daemon's ready line has it in its url"
            return _refusal(HTTPStatus.UNAUTHORIZED, text, {"WWW-Authenticate": "Bearer"})
        return None

    def _plain(self, path: str) -> Response:
        page = self._pages.get(path)
        if page is not None:
            return _response(HTTPStatus.OK, page.content_type, page.body, page.headers)
        if path != _PATH:
            return _refusal(HTTPStatus.NOT_FOUND, "there is nothing here")
        text = "this is a WebSocket; connect with a WebSocket client and the token"
        upgrade = {"Upgrade": "websocket", "Connection": "Upgrade, close"}
        return _refusal(HTTPStatus.UPGRADE_REQUIRED, text, upgrade)

    def _has_token(self, query: str, headers: Headers) -> bool:
        try:
            given = parse_qs(query, max_num_fields=_MAX_QUERY_FIELDS).get("token", [])
        except ValueError:
            return False
        for value in headers.get_all("Authorization"):
            bearer = _BEARER.fullmatch(value)
            if bearer:
                given.append(bearer[1])
        # In constant time, so that nobody can guess it byte by byte.
        return any(hmac.compare_digest(one.encode(), self._token) for one in given)


def too_many(limit: int) -> Response:
    """The refusal of a connection beyond the cap."""
    text = f"there are {limit} connections already, and that is the limit"
    return _refusal(HTTPStatus.SERVICE_UNAVAILABLE, text, {"Retry-After": "1"})


def _is_one(values: list[str], is_legal: Callable[[str], object]) -> bool:
    # Of two, whoever stands between the client and us may have believed the other one.
    return len(values) == 1 and bool(is_legal(values[0]))


def _asks_for_websocket(headers: Headers) -> bool:
    asked = ",".join(headers.get_all("Upgrade")).lower().split(",")
    return "websocket" in [one.strip() for one in asked]


def _refusal(
    status: HTTPStatus, text: str, more: Mapping[str, str] = MappingProxyType({})
) -> Response:
    body = f"{status.value} {status.phrase}: {text}\n".encode()
    return _response(status, "text/plain; charset=utf-8", body, more)


def _response(
    status: HTTPStatus, content_type: str, body: bytes, more: Mapping[str, str]
) -> Response:
    headers = {
        "Connection": "close",
        "Content-Type": content_type,
        "Content-Length": str(len(body)),
        "X-Content-Type-Options": "nosniff",
        "Cache-Control": "no-store",
        **more,
    }
    return Response(status.value, status.phrase, Headers(headers), body)
