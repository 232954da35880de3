"""What a host agrees to of what a step asks for."""

from pathlib import Path

import pytest

from sidecar.errors import PermissionRefused
from sidecar.scripts.interface import Permissions
from sidecar.scripts.permissions import Agreement, leads_outside


@pytest.fixture
def project(tmp_path: Path) -> Path:
    for name in ("project/data", "read/inner", "write/inner", "read-too", "kept"):
        (tmp_path / name).mkdir(parents=True)
    (tmp_path / "kept" / "history.db").touch()
    return tmp_path / "project"


@pytest.fixture
def agreement(project: Path) -> Agreement:
    base = project.parent
    return Agreement(
        project,
        read=[base / "read", base / "kept"],
        write=[base / "write"],
        private=[base / "kept" / "history.db"],
    )


def rules(agreement: Agreement, *read: str, write: tuple[str, ...] = ()) -> list[tuple[str, str]]:
    return agreement.rules(Permissions(read=read, write=write))


def test_agreed_folder_and_what_lies_in_it_are_opened(agreement: Agreement, project: Path) -> None:
    base = project.parent
    for text in ("../read", str(base / "read"), "data/../../read"):
        assert rules(agreement, text) == [(str(base / "read"), "x")]
    assert rules(agreement, "../read/inner") == [(str(base / "read" / "inner"), "x")]
    assert rules(agreement, write=("../write/inner",)) == [(str(base / "write" / "inner"), "w")]


def test_what_may_be_written_may_be_read(agreement: Agreement, project: Path) -> None:
    assert rules(agreement, "../write") == [(str(project.parent / "write"), "x")]


def test_project_itself_needs_nobodys_agreement(agreement: Agreement, project: Path) -> None:
    assert rules(agreement, "data") == [(str(project / "data"), "x")]


@pytest.mark.parametrize(
    ("kind", "text"),
    [
        ("read", ".."),
        ("read", "/"),
        ("read", "../read-too"),
        ("read", "../read/../.."),
        ("read", "~"),
        ("write", "../read"),
        ("read", "link"),
        ("read", "x\0y"),
        ("read", "loop"),
        ("read", "../kept"),
        ("read", "../kept/history.db"),
        ("read", "../kept/history.db-wal"),
        ("read", ".workflow-sidecar"),
        ("read", ".workflow-sidecar/history.db"),
    ],
)
def test_all_else_is_refused_and_opens_nothing(
    agreement: Agreement, project: Path, kind: str, text: str
) -> None:
    (project / "link").symlink_to(project.parent / "read-too")
    (project / "loop").symlink_to("loop")
    if text == "~":
        (project / "~").symlink_to(Path.home())
    permissions = Permissions(read=(text,)) if kind == "read" else Permissions(write=(text,))
    with pytest.raises(PermissionRefused, match=rf"(?i)permissions\.{kind}"):
        agreement.rules(permissions)


def test_link_within_the_agreed_is_followed(agreement: Agreement, project: Path) -> None:
    (project / "link").symlink_to(project.parent / "read")
    assert rules(agreement, "link") == [(str(project.parent / "read"), "x")]


def test_what_is_not_there_opens_nothing_to_read_and_cannot_be_written(
    agreement: Agreement,
) -> None:
    assert rules(agreement, "../read/none") == []
    with pytest.raises(PermissionRefused, match="does not exist; make it before"):
        rules(agreement, write=("../write/none",))


def test_network_is_had_unless_one_of_both_says_no(project: Path) -> None:
    for host in (True, False):
        agreement = Agreement(project, network=host)
        assert agreement.network(Permissions()) is host
        assert agreement.network(Permissions(network=True)) is host
        assert agreement.network(Permissions(network=False)) is False
        assert (agreement.network_problem(asked=True) is None) is host
        assert agreement.network_problem(asked=False) is None
    with pytest.raises(PermissionRefused, match="--no-network"):
        agreement.rules(Permissions(network=True))


def test_whether_a_path_leaves_the_project_is_told_by_its_text() -> None:
    assert all(leads_outside(text) for text in ("/x", "..", "a/../../b"))
    assert not any(leads_outside(text) for text in ("a", "a/../b", "..a"))
