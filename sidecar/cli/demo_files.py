"""What the demo is made of: the page's files as a fixed table, the sample in a folder of the
user's, and what lets a page that is open find the next demo.

It knows files and folders; it serves nothing.
"""

import json
import os
import secrets
import shutil
import sys
import tempfile
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Final

import sidecar
from sidecar.errors import UsageError
from sidecar.own_folder import OWN_FOLDER
from sidecar.rpc.admission import Page

_TYPES: Final = {
    ".html": "text/html; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".css": "text/css; charset=utf-8",
    ".svg": "image/svg+xml",
    ".woff2": "font/woff2",
}
#: Below the demo's folder, what belongs to the page.
_FOLDERS: Final = (".", "components", "state", "styles", "vendor")
_HEADERS: Final = {
    # Nothing from anywhere else; the WebSocket of whoever served the page is `self` too.
    "Content-Security-Policy": "default-src 'none'; script-src 'self'; style-src 'self'; "
    "img-src 'self' data:; font-src 'self'; connect-src 'self'; base-uri 'none'; "
    "form-action 'none'; frame-ancestors 'none'",
    "X-Content-Type-Options": "nosniff",
    # The page's address holds the token.
    "Referrer-Policy": "no-referrer",
    "Cache-Control": "no-store",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
}
#: What runs leave behind in the sample's folder.
_LEFTOVERS: Final = ("__pycache__", "workflow-report", OWN_FOLDER)
_MIN_TOKEN: Final = 32


def demo_folder() -> Path:
    """Where the demo lies: in the package, or beside it in a checkout. Raises UsageError."""
    package = Path(sidecar.__file__).parent
    for folder in (package / "_renderer_demo", package.parent / "renderer-demo"):
        if (folder / "index.html").is_file():
            return folder
    raise UsageError("the demo's files are missing from this installation; install it again")


def page_files(folder: Path) -> Mapping[str, Page]:
    """The page by the paths of its URLs; whatever else lies there is not served."""
    pages = {}
    for below in _FOLDERS:
        for file in sorted((folder / below).iterdir()):
            content_type = _TYPES.get(file.suffix)
            if content_type is not None and file.is_file():
                path = file.relative_to(folder).as_posix()
                pages[f"/{path}"] = Page(content_type, file.read_bytes(), _HEADERS)
    pages["/"] = pages["/index.html"]
    return pages


def data_folder() -> Path:
    """A folder of the user's for what the demo keeps, made if need be. Raises UsageError."""
    folder = _data_home() / "workflow-sidecar"
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise UsageError(
            f"the folder {folder} cannot be made: {error.strerror}; XDG_DATA_HOME names another "
            "one, and --project makes do without a copy of the sample"
        ) from None
    return folder


def _data_home() -> Path:
    named = os.environ.get("LOCALAPPDATA" if sys.platform == "win32" else "XDG_DATA_HOME", "")
    # XDG base directory specification: a relative path counts as none.
    if Path(named).is_absolute():
        return Path(named)
    try:
        home = Path.home()
    except RuntimeError:
        raise UsageError("there is no home folder; HOME names one") from None
    if sys.platform == "darwin":
        return home / "Library" / "Application Support"
    return home / ("AppData/Local" if sys.platform == "win32" else ".local/share")


def sample_copy(demo: Path, data: Path) -> Path:
    """The sample project in the user's folder: copied once, whole or not at all, and kept with
    whatever its user makes of it. Raises UsageError."""
    copy = data / "sample-project"
    if copy.is_dir():
        return copy
    try:
        with tempfile.TemporaryDirectory(prefix=".sample-", dir=data) as scratch:
            made = Path(scratch) / "sample-project"
            shutil.copytree(
                demo / "sample-project", made, ignore=shutil.ignore_patterns(*_LEFTOVERS)
            )
            made.rename(copy)
    except OSError as error:
        if copy.is_dir():
            return copy  # another demo was faster
        raise UsageError(f"the sample cannot be copied to {copy}: {error.strerror}") from None
    return copy


class Door:
    """The token and the port of the last demo, kept so that a page which is still open finds the
    next one. Only its owner can read the file; one that cannot be read or written is none."""

    def __init__(self, data: Path | None) -> None:
        """`data` is None when nothing can be kept."""
        self._file = None if data is None else data / "demo.json"
        self.token = secrets.token_urlsafe(_MIN_TOKEN)
        #: 0 when none is known.
        self.port = 0
        for token, port in self._kept():
            self.token, self.port = token, port

    def _kept(self) -> Iterator[tuple[str, int]]:
        try:
            kept = json.loads(self._file.read_text("utf-8")) if self._file else {}
            token, port = kept["token"], kept["port"]
        except (OSError, ValueError, TypeError, KeyError):
            return
        if isinstance(token, str) and len(token) >= _MIN_TOKEN and isinstance(port, int):
            yield token, port

    def keep(self, port: int) -> None:
        """Remember where this demo is."""
        self.port = port
        if self._file is None:
            return
        text = json.dumps({"token": self.token, "port": port})
        write_private(self._file, text)


def write_private(file: Path, text: str) -> bool:
    """Replace a file by one that only its owner can read; whether that could be done."""
    try:
        fd, scratch = tempfile.mkstemp(prefix=f".{file.name}-", dir=file.parent)  # mode 0600
        with os.fdopen(fd, "w", encoding="utf-8") as stream:
            stream.write(text)
        Path(scratch).replace(file)
    except OSError:
        return False
    return True
