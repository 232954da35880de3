"""Scripts compiled once: kept by content, never stale, never more than so many."""

import os
import sys
from pathlib import Path

import pytest

from sidecar.scripts.interface import ScriptOutcome, ScriptRequest
from sidecar.scripts.interpreter import Interpreter, Interpreters
from sidecar.scripts.launchers import code_cache
from sidecar.scripts.launchers.code_cache import CodeCache
from sidecar.scripts.paths import ProjectRoot
from sidecar.scripts.runner import LocalRunner

PYTHON = Interpreter(sys.executable, (3, 11, 0), "3.11.0")
pytestmark = pytest.mark.skipif(
    not hasattr(os, "memfd_create"), reason="code is kept where there are files in memory"
)


def _filled(cache: CodeCache, key: code_cache.Key, code: bytes) -> None:
    fd = cache.open(key)
    os.write(fd, code)
    cache.take(key, fd)


def _kept(cache: CodeCache, key: code_cache.Key) -> bytes:
    fd = cache.open(key)
    try:
        return os.read(fd, 1000)
    finally:
        os.close(fd)


def _key(project: Path, source: str, python: Interpreter = PYTHON) -> code_cache.Key:
    (project / "s.py").write_text(source)
    with ProjectRoot(project) as root, root.open_file("s.py") as script:
        key = CodeCache().key(python, script)
        assert os.lseek(script.fd, 0, os.SEEK_CUR) == 0
    if key is None:
        raise ValueError("the script has no key")
    return key


def test_what_one_attempt_leaves_the_next_finds(tmp_path: Path) -> None:
    cache, key = CodeCache(), _key(tmp_path, "print(1)")
    assert _kept(cache, key) == b""
    _filled(cache, key, b"code")
    assert _kept(cache, key) == b"code"


def test_code_is_told_apart_by_content_and_interpreter(tmp_path: Path) -> None:
    other = Interpreter(sys.executable, (3, 12, 0), "3.12.0")
    keys = {
        _key(tmp_path, "print(1)"),
        _key(tmp_path, "print(2)"),
        _key(tmp_path, "print(1)", other),
    }
    assert len(keys) == 3


def test_an_attempt_that_leaves_nothing_or_too_much_is_not_kept(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    cache, key = CodeCache(), _key(tmp_path, "print(1)")
    cache.take(key, cache.open(key))
    monkeypatch.setattr(code_cache, "_MAX_CODE_BYTES", 3)
    _filled(cache, key, b"code")
    assert _kept(cache, key) == b""


def test_the_least_used_code_is_dropped(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(code_cache, "_MAX_ENTRIES", 2)
    cache = CodeCache()
    first, second, third = (_key(tmp_path, f"print({n})") for n in range(3))
    _filled(cache, first, b"1")
    _filled(cache, second, b"2")
    assert _kept(cache, first) == b"1"
    _filled(cache, third, b"3")
    assert [_kept(cache, key) for key in (first, second, third)] == [b"1", b"", b"3"]


def test_a_large_script_is_not_kept(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="no key"):
        _key(tmp_path, "#" * 300_000)


async def _run(runner: LocalRunner) -> ScriptOutcome:
    return await runner.run(ScriptRequest("s.py", {}, 10_000), lambda text: None)


async def test_an_edited_script_is_never_stale(tmp_path: Path) -> None:
    with ProjectRoot(tmp_path) as root:
        runner = LocalRunner(root, Interpreters(sys.executable, root.path))
        for number in (1, 1, 2, 1):
            (tmp_path / "s.py").write_text(f"print('{{\"n\": {number}}}')")
            assert (await _run(runner)).outputs == {"n": number}


async def test_a_script_fails_the_same_way_from_kept_code(tmp_path: Path) -> None:
    (tmp_path / "s.py").write_text("def f():\n    raise KeyError('k')\n\nf()\n")
    with ProjectRoot(tmp_path) as root:
        runner = LocalRunner(root, Interpreters(sys.executable, root.path))
        first, second = await _run(runner), await _run(runner)
    assert first.failure is not None
    assert first.failure == second.failure
    assert first.stderr == second.stderr
    assert "line 2, in f" in first.stderr


async def test_a_script_that_cannot_be_compiled_says_so_each_time(tmp_path: Path) -> None:
    (tmp_path / "s.py").write_text("x = (\n")
    with ProjectRoot(tmp_path) as root:
        runner = LocalRunner(root, Interpreters(sys.executable, root.path))
        first, second = await _run(runner), await _run(runner)
    assert first.failure is not None
    assert first.failure.error_type == "SyntaxError"
    assert first.failure == second.failure
