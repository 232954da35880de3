"""What preloading would save: found in the scripts' text, measured on the interpreter."""

import sys

from sidecar.scripts.interpreter import Interpreter
from sidecar.scripts.preloading import import_ms, imported_modules

PYTHON = Interpreter(sys.executable, (3, 11, 0), "3.11.0")


def test_imports_are_found_wherever_they_stand() -> None:
    source = b"import json, os.path\ndef f():\n    from xml.dom import minidom\nfrom . import own\n"
    assert imported_modules([source, b"import json"]) == ["json", "os", "xml"]


def test_source_that_is_no_python_imports_nothing() -> None:
    assert imported_modules([b"import = 3", b"\0", b"\xff\xfe"]) == []


def test_import_takes_the_time_that_is_measured() -> None:
    took_ms = import_ms(PYTHON, "asyncio")
    assert took_ms is not None
    assert 0 < took_ms < 20_000


def test_module_that_is_not_there_has_no_time() -> None:
    assert import_ms(PYTHON, "nosuchmodule") is None
    assert import_ms(Interpreter("/nowhere/python", (3, 11, 0), "3.11.0"), "json") is None
