"""`doctor`: what a workflow needs on this machine, and how to mend what is missing."""

import argparse
import asyncio
import contextlib
import os
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Literal

from protocol.workflow import PythonStep
from sidecar import __version__
from sidecar.cli import streams
from sidecar.cli.complaints import Complaints
from sidecar.cli.folders import history_file, project_folder
from sidecar.cli.wording import counted
from sidecar.engine import Engine
from sidecar.errors import HistoryError, PathError, PythonNotFound
from sidecar.history.executions import ExecutionHistory
from sidecar.history.quarantine import set_aside_before
from sidecar.own_folder import OWN_FOLDER, remove_if_unused
from sidecar.redaction import escape_control
from sidecar.scripts.isolation import NONE, UNPROVEN, how_to_mend
from sidecar.scripts.launchers.choice import why_no_zygote
from sidecar.scripts.preloading import import_ms, imported_modules

#: `note` is how things are on this machine, neither good nor to be mended.
_Mark = Literal["ok", "note", "FAIL"]
#: Less than this is not worth a flag.
_WORTH_PRELOADING_MS: Final = 10.0
_MAX_SCRIPT_BYTES: Final = 1024 * 1024
_ELSEWHERE: Final = "or name another file with --history."


@dataclass(frozen=True, slots=True)
class _Check:
    """One finding: what was looked at, whether it is as it should be, how to mend it."""

    mark: _Mark
    subject: str
    found: str
    mend: str = ""


def run(options: argparse.Namespace) -> int:
    """Check and print; 0 when nothing needs mending, else 1."""
    project = project_folder(options)
    file = history_file(options, project)
    streams.say(escape_control(f"workflow-sidecar {__version__}, project {project}"))
    return asyncio.run(_report(project, file, options.python))


async def _report(project: Path, file: Path, python: str | None) -> int:
    failed = 0
    async for check in _checks(project, file, python):
        streams.say(escape_control(f"{check.mark:<4}  {check.subject}: {check.found}"))
        if check.mend:
            streams.say(escape_control(f"      {check.mend}"))
        failed += check.mark == "FAIL"
    streams.say(f"{counted(failed, 'thing')} to mend" if failed else "nothing to mend")
    return 1 if failed else 0


async def _checks(project: Path, file: Path, python: str | None) -> AsyncIterator[_Check]:
    own_folder = project / OWN_FOLDER
    made = not os.path.lexists(own_folder)  # noqa: ASYNC240 - one stat, before anything runs
    async with Engine(project, python=python, private=[file]) as engine:
        try:
            with Complaints() as complaints:
                found = await engine.python.get()
        except PythonNotFound as error:
            untried = "It is tried with the Python for scripts: mend that first."
            yield _Check("FAIL", "Python for scripts", error.message, error.install_guide)
        else:
            yield _Check("ok", "Python for scripts", f"{found.version_text} ({found.path})")
            for line in complaints.lines:
                yield _Check("note", "Python for scripts", line)
            untried = ""
        for name, state in (await engine.runner.isolation()).items():
            lacks = state in (NONE, UNPROVEN)
            mark: _Mark = "note" if lacks else "ok"
            mend = (untried or how_to_mend(name)) if lacks else ""
            yield _Check(mark, f"isolation, {name.replace('_', ' ')}", state, mend)
        async for check in _preload_checks(engine):
            yield check
    if made:
        remove_if_unused(own_folder)
    yield await _history_check(file)
    if names := set_aside_before(file):
        mend = f"Delete {'it' if len(names) == 1 else 'them'} when nothing in there is needed."
        yield _Check("note", "history, set aside", ", ".join(names), mend)


async def _preload_checks(engine: Engine) -> AsyncIterator[_Check]:
    """What --preload would save, measured, for modules that the project's scripts import."""
    if why_no_zygote() is not None:
        return
    try:
        interpreter = await engine.python.get()
    except PythonNotFound:
        return
    sources = await _script_sources(engine)
    for module in imported_modules(sources):
        took_ms = await asyncio.to_thread(import_ms, interpreter, module)
        if took_ms is not None and took_ms >= _WORTH_PRELOADING_MS:
            found = f"{module} takes every script that imports it {took_ms:.0f} ms"
            yield _Check("note", "preloading", found, f"--preload {module} saves them.")


async def _script_sources(engine: Engine) -> list[bytes]:
    """The scripts of all workflows of the project that can be loaded and opened."""
    sources = {}
    for listed in await engine.workflows():
        if "errors" in listed:
            continue
        loaded = await engine.load(listed["path"])
        for step in loaded.workflow.steps:
            if isinstance(step, PythonStep) and step.script not in sources:
                with contextlib.suppress(PathError), engine.project.open_file(step.script) as file:
                    sources[step.script] = os.pread(file.fd, _MAX_SCRIPT_BYTES, 0)
    return list(sources.values())


async def _history_check(file: Path) -> _Check:
    if not os.path.lexists(file):  # noqa: ASYNC240 - one stat, before anything runs
        return _new_history_check(file)
    history = ExecutionHistory(file)
    try:
        count = len(await history.recent(1_000_000))
        notices = list(history.notices)
    except HistoryError as error:
        mend = f"Move {file} away, then a new one is started, {_ELSEWHERE}"
        return _Check("FAIL", "history", error.message, mend)
    finally:
        await history.close()
    if history.trouble:
        mend = f"Make {file} and its folder writable, {_ELSEWHERE}"
        return _Check("FAIL", "history", history.trouble, mend)
    if notices:
        mend = "Nothing is left to do: the new file is in use."
        return _Check("FAIL", "history", " ".join(notices), mend)
    return _Check("ok", "history", f"{counted(count, 'run')} in {file}")


def _new_history_check(file: Path) -> _Check:
    """Whether the history file could be made; nothing is made for the asking."""
    folder = next(parent for parent in file.parents if os.path.lexists(parent))
    if not folder.is_dir():
        mend = f"Move {folder} away, {_ELSEWHERE}"
        return _Check("FAIL", "history", f"{folder} is in its place and no folder", mend)
    if not os.access(folder, os.W_OK | os.X_OK):
        mend = f"Make {folder} writable, {_ELSEWHERE}"
        return _Check("FAIL", "history", f"it cannot be kept: {folder} is not writable", mend)
    return _Check("ok", "history", f"none yet; it will be {file}")
