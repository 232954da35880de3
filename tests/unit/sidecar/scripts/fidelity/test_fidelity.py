"""A script finds under every launcher what it finds under `python script.py`.

Every script of the table runs with plain Python and through each launcher, in the same folder with
the same environment and input; what it printed and how it ended must be the same, byte for byte.
The zygote's spares run what has run before, so there every script runs twice.
What is known to differ is in `test_differences.py`. Python 3.8 shows the script's path as it was
given, all later ones absolute, and we always absolute; hence paths are compared without the folder.
"""

import re
import shutil
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio

from sidecar.own_folder import OWN_FOLDER
from sidecar.scripts.launchers import Launcher
from sidecar.scripts.launchers.spares import Spare
from sidecar.scripts.launchers.spawn import SpawnLauncher
from sidecar.scripts.launchers.supervised import SupervisedAttempt
from sidecar.scripts.launchers.zygote import ZygoteLauncher
from sidecar.scripts.paths import ProjectRoot
from tests.unit.sidecar.scripts.fidelity.running import (
    Printed,
    plain_python,
    python_version,
    the_interpreter,
    through,
)
from tests.unit.sidecar.scripts.fidelity.table import SCRIPTS

pytestmark = pytest.mark.asyncio(loop_scope="module")


#: What no spare can run to the letter: sources that plain Python must compile, since it says what
#: is wrong with them, or be started for, since a file beside the script has the name of a module.
NOT_BY_SPARE = frozenset(
    {
        "a json.py beside it",
        "is not Python",
        "is not Python in the middle",
        "a json.py beside it that is imported",
        "a datetime.py beside it that is imported",
        "a re.py beside it that is imported",
        "a collections.py beside it that is imported",
        "a pathlib.py beside it that is imported",
        "a select.py beside it that is imported",
        "a contextlib.py beside it that is imported",
        "a typing.py that raises",
        "an unclosed bracket",
        "an unclosed string",
        "a tab among spaces",
        "return outside",
        "await outside",
        "a keyword as a name",
        "an f-string that is wrong",
        "a number that is wrong",
        "nonlocal at the top",
        "a future that is not",
        "a caret under a wide character",
        "IndentationError",
        "a warning of the compiler's",
        "an assertion that is always true",
    }
)


@pytest_asyncio.fixture(scope="module", loop_scope="module", params=["spawn", "zygote"])
async def launcher(request: pytest.FixtureRequest) -> AsyncIterator[Launcher]:
    """One for all scripts, as in the daemon: what one leaves behind, the next would find."""
    launcher: Launcher = ZygoteLauncher() if request.param == "zygote" else SpawnLauncher()
    await launcher.prepare(await the_interpreter())
    assert launcher.name == request.param
    yield launcher
    assert launcher.name == request.param
    await launcher.close()


@pytest.fixture(scope="module")
def plain() -> dict[str, Printed]:
    """What plain Python made of a script, remembered for the second launcher."""
    return {}


@pytest.mark.parametrize("name", SCRIPTS)
async def test_script_behaves_as_with_plain_python(
    launcher: Launcher,
    plain: dict[str, Printed],
    name: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    script = SCRIPTS[name]
    if python_version() < script.oldest:
        pytest.skip("this Python does not have it yet")
    if name not in plain:
        folder = _laid(tmp_path / "plain", name)
        plain[name] = comparable(await plain_python(folder), folder)
    folder = _laid(tmp_path / "ours", name)
    with ProjectRoot(folder) as project:
        assert comparable(await through(launcher, project), folder) == plain[name]
        if launcher.name == "zygote":
            _clear(folder)
            _laid(folder, name)
            given = _watch_spares(monkeypatch)
            assert comparable(await through(launcher, project), folder) == plain[name]
            assert bool(given) == (name not in NOT_BY_SPARE)


def _clear(folder: Path) -> None:
    """Remove what is the script's."""
    for left in folder.iterdir():
        if left.name != OWN_FOLDER:
            shutil.rmtree(left) if left.is_dir() else left.unlink()


def _watch_spares(monkeypatch: pytest.MonkeyPatch) -> list[SupervisedAttempt]:
    """The attempts that spares are given from now on."""
    given: list[SupervisedAttempt] = []
    give = Spare.give

    def watched(spare: Spare, *args: Any) -> SupervisedAttempt:
        given.append(give(spare, *args))
        return given[-1]

    monkeypatch.setattr(Spare, "give", watched)
    return given


def _laid(folder: Path, name: str) -> Path:
    folder.mkdir(exist_ok=True)
    script = SCRIPTS[name]
    for file, text in {**script.beside, "script.py": script.source}.items():
        (folder / file).write_bytes(text.encode("utf-8", "surrogateescape"))
    return folder


def comparable(printed: Printed, folder: Path) -> Printed:
    """Without addresses of objects, the depth at which a recursion ends, and the folder."""
    varying = rf"0x[0-9a-f]{{8,}}|repeated \d+ more|{re.escape(str(folder))}/?"
    varying += r"|/[^ ']+/workflow-sidecar-\w+/\d+"
    return Printed(re.sub(varying, "", printed.out), re.sub(varying, "", printed.err), printed.end)
