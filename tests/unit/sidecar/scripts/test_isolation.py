"""What the canary's answer means."""

import socket
import sys
from pathlib import Path
from typing import Any

import pytest

from sidecar.scripts.confinement import Confinement, IsolationOptions
from sidecar.scripts.isolation import PROVEN, bait, how_to_mend, missing, understood

NOTHING_POSSIBLE: dict[str, Any] = {name: [] for name in PROVEN}
linux = pytest.mark.skipif(sys.platform != "linux", reason="the canary runs on Linux")


def confinement(project: Path, *private: str, **options: Any) -> Confinement:
    return Confinement(project, IsolationOptions(**options), [Path(file) for file in private])


@linux
def test_what_was_not_possible_is_proven(tmp_path: Path) -> None:
    found = understood(NOTHING_POSSIBLE, confinement(tmp_path))
    assert found == {**PROVEN, "network": "open"}
    assert missing(found, network_closed=True) == []


@linux
@pytest.mark.parametrize("name", PROVEN)
def test_what_was_possible_is_missing(tmp_path: Path, name: str) -> None:
    found = understood({**NOTHING_POSSIBLE, name: ["something"]}, confinement(tmp_path))
    assert found[name] == "none"
    assert missing(found, network_closed=True) == [name]
    assert understood({**NOTHING_POSSIBLE, name: None}, confinement(tmp_path))[name] == "none"


@linux
def test_canary_that_said_nothing_proves_nothing(tmp_path: Path) -> None:
    found = understood(None, confinement(tmp_path, network=False))
    assert found == {**dict.fromkeys(PROVEN, "unproven"), "network": "open"}
    assert missing(found, network_closed=True) == list(PROVEN)


@linux
def test_filter_of_the_network_counts_where_it_is_needed(tmp_path: Path) -> None:
    answer = {**NOTHING_POSSIBLE, "network_filter": ["tcp"]}
    found = understood(answer, confinement(tmp_path, network=False))
    assert found["network"] == "open"
    assert missing(found, network_closed=False) == []
    assert missing(found, network_closed=True) == ["network_filter"]
    assert understood(NOTHING_POSSIBLE, confinement(tmp_path, network=False))["network"] == "closed"


@linux
def test_history_is_told_by_where_it_lies(tmp_path: Path) -> None:
    project = tmp_path / "project"
    project.mkdir()

    def history(*private: Path) -> str:
        files = map(str, private)
        return understood(NOTHING_POSSIBLE, confinement(project, *files))["history"]

    own = project / ".workflow-sidecar" / "history.db"
    assert history() == history(own) == history(own, tmp_path / "log") == "hidden"
    assert history(tmp_path / "history.db") == "landlock"
    assert history(project / "runs.db") == history(own, project / "log") == "none"


def test_isolation_that_is_off_is_off(tmp_path: Path) -> None:
    found = understood(NOTHING_POSSIBLE, confinement(tmp_path, level="off"))
    assert set(found.values()) == {"off", "open"}


def test_other_systems_have_a_temporary_folder_and_nothing_else(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "platform", "darwin")
    found = understood(None, confinement(tmp_path))
    assert found.pop("temporary_folder") == "private"
    assert set(found.values()) == {"none", "open"}


def test_what_is_missing_is_said_with_what_it_takes() -> None:
    assert all(how_to_mend(name).endswith(".") for name in PROVEN)
    assert how_to_mend("launcher") == ""


@linux
def test_bait_is_laid_and_taken_away(tmp_path: Path) -> None:
    project, temporary = tmp_path / "project", tmp_path / "temporary"
    for folder in (project, temporary):
        folder.mkdir()
    kept = tmp_path / "history.db"
    kept.touch()
    confined = confinement(project, str(kept), str(tmp_path / "not yet"))
    place = confined.place(temporary)
    before = set(tmp_path.rglob("*"))
    with bait(confined, place) as given:
        assert Path(given["bait"]).read_bytes()
        assert Path(given["covered"]).parent == project / ".workflow-sidecar"
        assert given["private"] == [str(kept)]
        with socket.socket(socket.AF_UNIX) as peer:
            peer.connect("\0" + given["socket"])
        Path(given["beside"]).touch()
    assert set(tmp_path.rglob("*")) == before
