"""What is reported of isolation is what the canary has proven: on this machine, and on one whose
kernel refuses some of it.

Such a machine is made of this one: a program takes system calls away from itself (seccomp(2)) and
becomes the sidecar. Nothing of the sidecar knows.
"""

import json
import sys
import textwrap
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.integration.confined import Playground, account, playground

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="the protections are Linux's")

#: Numbers of system calls that are the same on all processors, but for unshare(2), seccomp's own.
LANDLOCK, UNSHARE = (444,), {"x86_64": (272,), "aarch64": (97,), "riscv64": (97,)}
WITHOUT = """
import ctypes, os, struct, sys
numbers = [int(number) for number in sys.argv[1].split(",")]
program = [(0x20, 0, 0, 0)]
for number in numbers:
    program += [(0x15, 0, 1, number), (0x06, 0, 0, 0x00050000 | 1)]
program += [(0x06, 0, 0, 0x7FFF0000)]
code = ctypes.create_string_buffer(b"".join(struct.pack("HBBI", *step) for step in program))
class Filter(ctypes.Structure):
    _fields_ = [("length", ctypes.c_ushort), ("code", ctypes.c_void_p)]
libc = ctypes.CDLL(None, use_errno=True)
assert libc.prctl(38, 1, 0, 0, 0) == 0
installed = Filter(len(program), ctypes.cast(code, ctypes.c_void_p))
assert libc.prctl(22, 2, ctypes.byref(installed), 0, 0) == 0
os.execv(sys.argv[2], sys.argv[2:])
"""
ALL_PROVEN = {
    "level": "best-effort",
    "environment": "allowlist",
    "filesystem": "landlock",
    "history": "hidden",
    "daemon": "closed",
    "signals": "landlock",
    "abstract_sockets": "landlock",
    "privileges": "dropped",
    "limits": "rlimits",
    "temporary_folder": "private",
    "network_filter": "seccomp",
    "network": "open",
}


@pytest.fixture(scope="module", params=["root", "user"])
def ground(request: pytest.FixtureRequest) -> Iterator[Playground]:
    with playground(account(request.param)) as made:
        yield made


def without(ground: Playground, *numbers: int) -> tuple[str, ...]:
    """The program that starts another one without some system calls."""
    joined = ",".join(map(str, numbers))
    return (ground.account.python, "-c", WITHOUT, joined)


def unshare() -> tuple[int, ...]:
    import platform

    if platform.machine() not in UNSHARE:
        pytest.skip("the number of unshare(2) is not known for this processor")
    return UNSHARE[platform.machine()]


def proven(isolation: dict[str, str]) -> dict[str, str]:
    """Without what says how scripts are started."""
    return {
        name: state for name, state in isolation.items() if name not in ("launcher", "process_tree")
    }


def info(ground: Playground, *flags: str, **more: Any) -> dict[str, Any]:
    with ground.serving(*flags, **more) as ask:
        answer: dict[str, Any] = ask("sidecar:info")
    return answer


def test_everything_is_proven_on_a_machine_that_has_it(ground: Playground, tmp_path: Path) -> None:
    log = tmp_path / "log"
    answer = info(ground, log=log)
    assert proven(answer["isolation"]) == ALL_PROVEN
    assert (
        answer["limits"].items()
        >= {
            "script_file_bytes": 8 * 2**30,
            "script_open_files": 4096,
            "script_address_space_bytes": 16 * 2**30,
        }.items()
    )
    assert '"isolation proven"' in log.read_text()
    assert list((ground.project / ".workflow-sidecar").glob("workflow-sidecar-*")) == []


def test_what_the_host_chose_is_what_is_reported(ground: Playground) -> None:
    answer = info(ground, "--no-network", "--script-limit", "open_files=99")
    assert proven(answer["isolation"]) == {**ALL_PROVEN, "network": "closed"}
    assert answer["limits"]["script_open_files"] == 99


def test_history_outside_the_project_is_kept_by_landlock(ground: Playground) -> None:
    answer = info(ground, "--history", str(ground.base / "kept" / "history.db"))
    assert answer["isolation"]["history"] == "landlock"


def test_history_in_a_folder_of_the_project_is_reported_as_open(ground: Playground) -> None:
    answer = info(ground, "--history", str(ground.project / "runs.db"))
    assert proven(answer["isolation"]) == {**ALL_PROVEN, "history": "none"}


def test_machine_without_landlock_is_told_apart(ground: Playground, tmp_path: Path) -> None:
    log = tmp_path / "log"
    answer = info(ground, before=without(ground, *LANDLOCK), log=log)
    lacks = dict.fromkeys(("filesystem", "signals", "abstract_sockets"), "none")
    # The memory of a process of root's is open to root, but for Landlock.
    kept = {name: answer["isolation"][name] for name in ("daemon",)}
    assert proven(answer["isolation"]) == {**ALL_PROVEN, **lacks, **kept}
    assert '"isolation is incomplete"' in log.read_text()
    assert '"read_outside"' in log.read_text()


def test_machine_without_namespaces_is_told_apart(ground: Playground) -> None:
    answer = info(ground, before=without(ground, *unshare()))
    assert proven(answer["isolation"]) == {**ALL_PROVEN, "history": "none"}


def test_script_of_a_machine_without_either_still_runs(ground: Playground) -> None:
    ground.script("print('{}')")
    steps = [{"id": "s", "type": "python", "script": "script.py"}]
    with ground.serving(before=without(ground, *LANDLOCK, *unshare())) as ask:
        assert ask("workflow:execute", [{"workflow": {"name": "W"}, "steps": steps}])["success"]


def test_required_isolation_that_is_missing_runs_no_script(ground: Playground) -> None:
    ground.script("open('ran', 'w')\nprint('{}')")
    steps = [{"id": "s", "type": "python", "script": "script.py", "retry_policy": {}}]
    before = without(ground, *LANDLOCK)
    with ground.serving("--isolation", "require", before=before) as ask:
        result = ask("workflow:execute", [{"workflow": {"name": "W"}, "steps": steps}])
        assert ask("sidecar:info")["isolation"]["level"] == "require"
    assert result["error_type"] == "IsolationUnavailable"
    assert "filesystem, signals, abstract_sockets" in result["error"]
    assert result["steps"]["s"]["retry_count"] == 0
    assert not (ground.project / "ran").exists()


def test_required_isolation_that_is_there_runs_scripts(ground: Playground) -> None:
    assert ground.run("print('{}')", "--isolation", "require")["success"]


def test_isolation_that_is_off_is_said_in_every_runs_log(
    ground: Playground, tmp_path: Path
) -> None:
    log = tmp_path / "log"
    secret = ground.outside / "secret.txt"
    ground.script(f"import json\nprint(json.dumps({{'text': open({str(secret)!r}).read()}}))")
    steps = [{"id": "s", "type": "python", "script": "script.py"}]
    workflow = {"workflow": {"name": "W"}, "steps": steps}
    with ground.serving("--isolation", "off", log=log) as ask:
        results = [ask("workflow:execute", [workflow]) for _ in range(2)]
        isolation = ask("sidecar:info")["isolation"]
    assert all(result["success"] for result in results), results
    assert isolation["level"] == isolation["filesystem"] == isolation["history"] == "off"
    said = [json.loads(line) for line in log.read_text().splitlines() if "isolation is off" in line]
    assert [line["execution_id"] for line in said] == [r["execution_id"] for r in results]
    assert {line["level"] for line in said} == {"warning"}


def test_log_file_and_dumps_are_out_of_a_scripts_reach(ground: Playground) -> None:
    text = textwrap.dedent(
        """
        import json
        open(".workflow-sidecar/sidecar.log")
        """
    )
    log = ground.project / ".workflow-sidecar" / "sidecar.log"
    with ground.serving("--log-file", str(log)) as ask:
        ground.script(text)
        steps = [{"id": "s", "type": "python", "script": "script.py"}]
        result = ask("workflow:execute", [{"workflow": {"name": "W"}, "steps": steps}])
        assert result["error_type"] == "PermissionError"
        assert ask("sidecar:info")["isolation"]["history"] == "hidden"
    assert log.stat().st_size > 0


def test_daemon_can_be_read_by_no_other_process_of_its_user(ground: Playground) -> None:
    """Its files in /proc belong to root, whoever it runs as (proc(5), PR_SET_DUMPABLE)."""
    with ground.serving() as ask:
        pid = ask("sidecar:info")["pid"]
        assert Path(f"/proc/{pid}/environ").stat().st_uid == 0
        assert Path(f"/proc/{pid}/mem").stat().st_uid == 0
