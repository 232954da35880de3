"""A script finds under every launcher what it finds under `python script.py`.

Every script of the table runs with plain Python and through each launcher, in the same folder with
the same environment and input; what it printed and how it ended must be the same, byte for byte.
What is known to differ is in `test_differences.py`. Python 3.8 shows the script's path as it was
given, all later ones absolute, and we always absolute; hence paths are compared without the folder.
"""

import re
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio

from sidecar.scripts.launchers import Launcher
from sidecar.scripts.launchers.spawn import SpawnLauncher
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
    launcher: Launcher, plain: dict[str, Printed], name: str, tmp_path: Path
) -> None:
    script = SCRIPTS[name]
    if python_version() < script.oldest:
        pytest.skip("this Python does not have it yet")
    if name not in plain:
        folder = _laid(tmp_path / "plain", name)
        plain[name] = comparable(await plain_python(folder), folder)
    folder = _laid(tmp_path / "ours", name)
    with ProjectRoot(folder) as project:
        ours = comparable(await through(launcher, project), folder)
    assert ours == plain[name]


def _laid(folder: Path, name: str) -> Path:
    folder.mkdir()
    script = SCRIPTS[name]
    for file, text in {**script.beside, "script.py": script.source}.items():
        (folder / file).write_bytes(text.encode("utf-8", "surrogateescape"))
    return folder


def comparable(printed: Printed, folder: Path) -> Printed:
    """Without addresses of objects, the depth at which a recursion ends, and the folder."""
    varying = rf"0x[0-9a-f]{{8,}}|repeated \d+ more|{re.escape(str(folder))}/?"
    varying += r"|/[^ ']+/workflow-sidecar-\w+/\d+"
    return Printed(re.sub(varying, "", printed.out), re.sub(varying, "", printed.err), printed.end)
