"""Finding the workflow files of a project."""

import os
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from protocol import limits
from protocol.results import WorkflowListEntry
from sidecar.engine import catalog
from sidecar.engine.access import MachineAccess
from sidecar.errors import PathNotFound
from sidecar.scripts.paths import ProjectRoot

GOOD = "workflow: {name: W}\nsteps:\n  - {id: a, type: output, message: m}\n"


@pytest.fixture
def project(tmp_path: Path) -> Iterator[ProjectRoot]:
    (tmp_path / "project").mkdir()
    with ProjectRoot(tmp_path / "project") as root:
        yield root


def put(project: ProjectRoot, path: str, content: str | bytes = GOOD) -> Path:
    file = project.path / path
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_bytes(content.encode() if isinstance(content, str) else content)
    return file


def listed(project: ProjectRoot) -> list[dict[str, Any]]:
    return catalog.list_workflows(project, MachineAccess())


def paths(project: ProjectRoot) -> list[str]:
    return [entry["path"] for entry in listed(project)]


def test_an_empty_project_has_none(project: ProjectRoot) -> None:
    assert listed(project) == []


def test_a_workflow_is_listed_with_what_it_says_of_itself(project: ProjectRoot) -> None:
    put(
        project,
        "w.yaml",
        "workflow: {id: w, name: W, version: '1', description: d, tags: [t], author: me}\n"
        "steps:\n  - {id: a, type: output, message: m}\n",
    )

    (entry,) = listed(project)
    assert entry == {
        "path": "w.yaml",
        "workflow_id": "w",
        "name": "W",
        "version": "1",
        "description": "d",
        "tags": ["t"],
        "author": "me",
        "step_count": 1,
    }
    WorkflowListEntry.model_validate(entry)


def test_both_endings_are_found_everywhere_in_a_stable_order(project: ProjectRoot) -> None:
    for path in ("z.yaml", "a.yml", "b/c/d.yaml", "b/a.yaml", "ä ö.yaml", "c.YAML", "d.yaml.bak"):
        put(project, path)

    assert paths(project) == ["a.yml", "z.yaml", "ä ö.yaml", "b/a.yaml", "b/c/d.yaml"]


@pytest.mark.parametrize(
    "folder", [".git", ".venv", "node_modules", "venv", "site-packages", "a/b/__pycache__", "dist"]
)
def test_hidden_and_dependency_folders_are_left_out(project: ProjectRoot, folder: str) -> None:
    put(project, f"{folder}/x.yaml")
    put(project, f"{folder}/deeper/x.yaml")

    assert paths(project) == []


def test_a_hidden_file_is_a_file(project: ProjectRoot) -> None:
    put(project, ".hidden.yaml")

    assert paths(project) == [".hidden.yaml"]


@pytest.mark.parametrize(
    "content",
    [
        "services: {}\n",
        "workflow: x\n",
        "steps: []\n",
        "jobs:\n  workflow: 1\n  steps: []\n",
        "text: |\n  workflow: x\n  steps: []\n",
        "# workflow: steps:\n",
        "{jobs: {workflow: 1, steps: 2}}",
        "{workflow: 1, a: {steps: 2}}",
        "",
        (GOOD).encode("utf-16"),
    ],
)
def test_yaml_that_is_no_workflow_is_left_out(project: ProjectRoot, content: str | bytes) -> None:
    put(project, "x.yaml", content)

    assert paths(project) == []


@pytest.mark.parametrize(
    "content",
    [
        "\ufeff" + GOOD,
        GOOD.replace("\n", "\r\n"),
        "---\n# c\n" + GOOD,
        GOOD.replace("workflow:", "'workflow' :").replace("steps:", '"steps":'),
        '{"workflow": {"name": "W"}, "steps": [{"id": "a", "type": "output", "message": "m"}]}',
        '\ufeff# c\n\n{"steps": [{"id": "a", "type": "output", "message": "m"}],\n'
        '"workflow": {"name": "W"}}',
    ],
)
def test_a_workflow_in_another_dress_is_found(project: ProjectRoot, content: str) -> None:
    put(project, "x.yaml", content)

    (entry,) = listed(project)
    assert entry["name"] == "W"


@pytest.mark.parametrize(
    "content",
    [
        "workflow: {name: W}\nsteps: []\n",
        "workflow: {\nsteps:\n",
        "{workflow: {name: W}, steps: [\n",
        GOOD + "x: \x00\n",
    ],
)
def test_a_broken_workflow_is_listed_with_its_errors(project: ProjectRoot, content: str) -> None:
    put(project, "x.yaml", content)

    (entry,) = listed(project)
    assert set(entry) == {"path", "errors"}
    assert [problem.severity for problem in entry["errors"]] == ["error"]
    WorkflowListEntry.model_validate(entry)


def test_warnings_are_not_listed_among_the_errors(project: ProjectRoot) -> None:
    put(project, "x.yaml", GOOD + "extra: 1\nui_metadata: {nodes: [{id: z}]}\n")

    (entry,) = listed(project)
    assert len(entry["errors"]) == 2


def test_a_link_to_a_folder_is_not_followed(project: ProjectRoot) -> None:
    put(project, "real/x.yaml")
    (project.path / "link").symlink_to("real")
    (project.path / "real" / "loop").symlink_to("..")
    (project.path / "named.yaml").symlink_to("real")

    assert paths(project) == ["real/x.yaml"]


def test_a_link_to_a_file_is_followed_inside_the_project_only(
    project: ProjectRoot, tmp_path: Path
) -> None:
    put(project, "real.yaml")
    (tmp_path / "outside.yaml").write_text(GOOD)
    (project.path / "inside.yaml").symlink_to("real.yaml")
    (project.path / "leaving.yaml").symlink_to(tmp_path / "outside.yaml")
    (project.path / "dangling.yaml").symlink_to("nowhere.yaml")

    assert paths(project) == ["inside.yaml", "real.yaml"]


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="there are no FIFOs on this system")
def test_a_fifo_does_not_hang(project: ProjectRoot) -> None:
    os.mkfifo(project.path / "x.yaml")
    put(project, "y.yaml")

    assert paths(project) == ["y.yaml"]


def test_a_name_that_is_no_text_does_not_harm(project: ProjectRoot) -> None:
    try:
        Path(os.fsdecode(os.fsencode(project.path) + b"/\xff.yaml")).write_text(GOOD)
    except OSError:
        pytest.skip("this file system takes only Unicode names")
    put(project, "y.yaml")

    assert paths(project) == ["y.yaml"]


def test_a_folder_that_vanishes_or_cannot_be_read_is_passed_over(
    project: ProjectRoot, monkeypatch: pytest.MonkeyPatch
) -> None:
    put(project, "a/x.yaml")
    put(project, "b/x.yaml")
    real = os.scandir

    def scandir(folder: Path) -> Any:
        if folder.name == "a":
            raise PermissionError
        return real(folder)

    monkeypatch.setattr("sidecar.engine.catalog.os.scandir", scandir)

    assert paths(project) == ["b/x.yaml"]


def test_a_file_is_read_no_further_than_needed_to_see_that_it_is_too_large(
    project: ProjectRoot,
) -> None:
    put(project, "x.yaml", GOOD + "#" * (2 * limits.MAX_WORKFLOW_FILE_BYTES))

    assert len(catalog.read_workflow(project, "x.yaml")) == limits.MAX_WORKFLOW_FILE_BYTES + 1
    (entry,) = listed(project)
    assert "too large" in entry["errors"][0].message


def test_reading_leaves_nothing_open(project: ProjectRoot) -> None:
    put(project, "x.yaml")
    catalog.read_workflow(project, "x.yaml")
    # The lowest free descriptor is the same before and after.
    before = os.open(project.path, os.O_RDONLY)
    os.close(before)
    assert catalog.read_workflow(project, "x.yaml") == GOOD.encode()
    after = os.open(project.path, os.O_RDONLY)
    os.close(after)

    assert after == before


def test_a_file_that_is_not_there_is_told(project: ProjectRoot) -> None:
    with pytest.raises(PathNotFound, match=r'Workflow not found: "x\.yaml"'):
        catalog.read_workflow(project, "x.yaml")


def test_2_000_files_are_listed_quickly(project: ProjectRoot) -> None:
    for i in range(2_000):
        put(project, f"folder{i % 40}/x{i}.yaml", GOOD if i % 2 else "services: {}\n")
    started_s = time.process_time()

    assert len(listed(project)) == 1_000
    assert time.process_time() - started_s < 10
