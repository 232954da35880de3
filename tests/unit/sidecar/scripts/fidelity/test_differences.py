"""What a script can tell apart from `python script.py`: exactly what the authors' guide lists."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio

from sidecar.scripts.launchers import Launcher
from sidecar.scripts.launchers.spawn import SpawnLauncher
from sidecar.scripts.launchers.zygote import ZygoteLauncher
from sidecar.scripts.paths import ProjectRoot
from tests.unit.sidecar.scripts.fidelity.running import plain_python, the_interpreter, through

GUIDE = Path(__file__).parents[5] / "protocol" / "docs" / "authors.md"
ALWAYS, ZYGOTE = "always", "zygote"
#: By the words of the guide: where, and a script that prints something else there.
DIFFERENCES = {
    "one more entry in `inspect.stack()`": (
        ALWAYS,
        "import inspect\nprint(len(inspect.stack()))",
    ),
    "its priority is 5 lower (`os.nice`)": (ALWAYS, "import os\nprint(os.nice(0))"),
    "it leads a session of its own": (ALWAYS, "import os\nprint(os.getsid(0) == os.getpid())"),
    "the words for a source that holds a NUL": (ALWAYS, "x = 1\0"),
    "an exception while `sys.stderr` is closed prints nothing": (
        ALWAYS,
        "import sys\nsys.stderr.close()\n1/0",
    ),
    "`sys.modules` holds a few more modules": (ZYGOTE, "import sys\nprint(sorted(sys.modules))"),
    "`/proc/self/cmdline` and `/proc/self/environ`": (
        ZYGOTE,
        "print(b'zygote.py' in open('/proc/self/cmdline', 'rb').read(), "
        "b'XDG_CACHE_HOME=' in open('/proc/self/environ', 'rb').read())",
    ),
    "`gc.get_freeze_count()` is not 0": (ZYGOTE, "import gc\nprint(gc.get_freeze_count() > 0)"),
    "the seed of `hash()` is that of other scripts": (
        ZYGOTE,
        "import os\nh = hash('x')\n"
        "if os.path.exists('seen'): print(open('seen').read() == str(h))\n"
        "open('seen', 'w').write(str(h))",
    ),
    "a built-in function that raises in `atexit` is shown with a line of ours": (
        ZYGOTE,
        "import atexit\natexit.register(int, 'x')",
    ),
}


@pytest_asyncio.fixture(scope="module", loop_scope="module", params=["spawn", "zygote"])
async def launcher(request: pytest.FixtureRequest) -> AsyncIterator[Launcher]:
    launcher: Launcher = ZygoteLauncher() if request.param == "zygote" else SpawnLauncher()
    await launcher.prepare(await the_interpreter())
    yield launcher
    await launcher.close()


@pytest.mark.asyncio(loop_scope="module")
@pytest.mark.parametrize("difference", DIFFERENCES)
async def test_difference_is_where_the_guide_says_and_nowhere_else(
    launcher: Launcher, difference: str, tmp_path: Path
) -> None:
    where, source = DIFFERENCES[difference]
    (tmp_path / "script.py").write_text(source)
    with ProjectRoot(tmp_path) as project:
        # Twice each: one of them shows itself only from script to script.
        plain = [await plain_python(tmp_path) for _ in range(2)][-1]
        (tmp_path / "seen").unlink(missing_ok=True)
        ours = [await through(launcher, project) for _ in range(2)][-1]
    words = ours.err.replace(f"{tmp_path}/", ""), ours.out, ours.end
    differs = words != (plain.err.replace(f"{tmp_path}/", ""), plain.out, plain.end)
    assert differs == (where == ALWAYS or launcher.name == "zygote")


def test_guide_lists_exactly_these_differences() -> None:
    section = GUIDE.read_text().partition("### What differs from")[2].partition("\n## ")[0]
    rows = [line.split(" | ") for line in section.splitlines() if line.startswith("| ")]
    listed = {row[0].removeprefix("| "): row[1] for row in rows[2:]}
    assert listed == {title: where for title, (where, _) in DIFFERENCES.items()}
