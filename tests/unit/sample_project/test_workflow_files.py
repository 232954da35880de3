"""The two workflow files, and all their steps in a row."""

from __future__ import annotations

import ast
import shutil
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.unit.sample_project.steps import DEMO, SAMPLE, run_all, stored

OWN = SAMPLE / "workflow.yaml"
REPOSITORY = DEMO / "report-on-this-repository.yaml"


def loaded(path: Path) -> dict[str, Any]:
    content = yaml.safe_load(path.read_text(encoding="utf-8"))
    assert isinstance(content, dict)
    return content


def without_what_may_differ(content: dict[str, Any], scripts: str) -> dict[str, Any]:
    for name in ("id", "name", "description"):
        del content["workflow"][name]
    for given in content["inputs"]:
        del given["default"]
    for step in content["steps"]:
        if "script" in step:
            assert step["script"].startswith(scripts), step["id"]
            step["script"] = step["script"].removeprefix(scripts)
    return content


def test_both_workflow_files_are_the_same_steps() -> None:
    own = without_what_may_differ(loaded(OWN), "./scripts/")
    repository = without_what_may_differ(
        loaded(REPOSITORY), "./renderer-demo/sample-project/scripts/"
    )

    assert own == repository
    assert loaded(OWN)["workflow"]["id"] != loaded(REPOSITORY)["workflow"]["id"]


def test_every_step_has_a_place_in_the_graph_and_they_run_from_left_to_right() -> None:
    content = loaded(OWN)
    left = {node["id"]: node["position"]["x"] for node in content["ui_metadata"]["nodes"]}

    assert list(left) == [step["id"] for step in content["steps"]]
    for step in content["steps"]:
        for other, x in left.items():
            if f"steps.{other}." in str(step):
                assert x < left[step["id"]]


def test_the_retry_policy_names_the_exception_of_the_script() -> None:
    (step,) = [step for step in loaded(OWN)["steps"] if "retry_policy" in step]
    script = (SAMPLE / step["script"]).read_text(encoding="utf-8")
    apart = [float(line.partition("=")[2]) for line in script.splitlines() if line[:6] == "APART_"]

    assert step["retry_policy"]["retry_on_error_types"] == ["NotSettledYet"]
    assert "class NotSettledYet(Exception)" in script
    # One retry is enough: the delay is longer than what the script waits for.
    assert apart
    assert step["retry_policy"]["initial_delay_ms"] > 1000 * apart[0]


@pytest.mark.parametrize("kind", ["html", "md"])
def test_all_steps_in_a_row_report_on_a_copy_of_the_sample_project(
    tmp_path: Path, kind: str
) -> None:
    project = tmp_path / "copy of the sample"
    shutil.copytree(
        SAMPLE, project, ignore=shutil.ignore_patterns("workflow-report", "__pycache__")
    )

    outputs = run_all(project, loaded(OWN), {"format": kind, "folder": "sample-input"}, project)

    assert outputs["inventory"]["files"] == outputs["settle"]["files"] == 9
    assert outputs["duplicates"]["groups"] == 1
    assert outputs["marks"]["by_kind"] == {"FIXME": 1, "TODO": 4, "HACK": 1}
    assert outputs["languages"]["main_language"] == "JavaScript"
    assert outputs["report"]["report"] == f"workflow-report/report.{kind}"
    assert outputs["done"]["message"] == (
        f"The report is in workflow-report/report.{kind}: {outputs['report']['summary']};"
        " main language: JavaScript"
    )
    groups = stored(project, outputs["duplicates"]["result"])["groups"]
    assert groups[0]["paths"] == [
        "sample-input/collect/sightings.csv",
        "sample-input/web/sightings-copy.csv",
    ]


def test_the_file_for_the_repository_runs_with_the_repository_as_project(tmp_path: Path) -> None:
    shutil.copytree(
        DEMO / "sample-project",
        tmp_path / "renderer-demo" / "sample-project",
        ignore=shutil.ignore_patterns("workflow-report", "__pycache__"),
    )

    outputs = run_all(tmp_path, loaded(REPOSITORY), {}, tmp_path)

    assert outputs["languages"]["main_language"] == "Python"
    assert (tmp_path / outputs["report"]["report"]).is_file()


@pytest.mark.parametrize("script", sorted((SAMPLE / "scripts").glob("*.py")), ids=lambda p: p.name)
def test_a_script_is_written_for_python_3_8(script: Path) -> None:
    tree = ast.parse(script.read_text(encoding="utf-8"), feature_version=(3, 8))

    # Without this import, annotations such as `list[str] | None` fail on 3.8.
    future = [n for n in tree.body if isinstance(n, ast.ImportFrom) and n.module == "__future__"]
    assert [name.name for name in future[0].names] == ["annotations"]
    assert ast.get_docstring(tree)
