"""Which strings among inputs count as paths, and which of these leave the project."""

import time
from pathlib import Path
from typing import Any

import pytest

from sidecar.scripts.paths import ProjectRoot


@pytest.fixture
def tree(project: ProjectRoot, tmp_path: Path) -> Path:
    inside = project.path
    (inside / "data").mkdir()
    (inside / "data" / "a.csv").write_text("")
    (inside / "out").symlink_to(tmp_path)
    (inside / "in").symlink_to("data")
    (inside / "loop").symlink_to("loop")
    (tmp_path / "project-evil").mkdir()
    return inside


@pytest.mark.parametrize(
    "text",
    [
        "",
        " ",
        ".",
        "hello",
        "/",
        "//",
        "/api/v1/users",
        "//cdn.example.com/x.js",
        "text/html",
        "2024/01/02",
        "/^foo$/",
        "^\\d+\\..*$",
        "a/../b",
        "data/a.csv",
        "./data/../data/a.csv",
        "in/a.csv",
        "data/not-yet/made.csv",
        "{root}",
        "{root}/data/a.csv",
        "{root}/data/../data",
        "{root}/in/a.csv",
        "file://{root}/data/a.csv",
        "file://localhost{root}/data",
        "file:data/a.csv",
        "file:",
        "file:///%00",
        "https://example.com/../../etc/passwd",
        "s3://bucket/../x",
        "main..dev",
        "1/..",
        "~",
        "~5",
        "~ about/so",
        "..legit",
        "/etc/passwd\nand more",
        "../x\ny",
        "/etc\0/passwd",
        "/etc/" + "x" * 5000,
        "/" + "nothing/../" * 1000,
        "a/" * 3000 + "..",
        "12:30",
        "C: drive",
        "\\alpha\\beta",
        "🙂",
        "\ud800",
    ],
)
def test_harmless_string_passes(project: ProjectRoot, tree: Path, text: str) -> None:
    assert project.find_escaping_path(text.format(root=tree) if "{root}" in text else text) is None


@pytest.mark.parametrize(
    "text",
    [
        "/etc/passwd",
        "  /etc/passwd\n",
        "//etc/passwd",
        "/nowhere/../etc/passwd",
        "/etc/",
        "/etc/\ud800",
        "{root}-evil",
        "{root}/../project-evil",
        "{root}/out/x",
        "{root}/loop/x",
        "..",
        "../",
        "../x",
        "../project/data",
        "a/../../../etc/passwd",
        "a/../../project/x",
        "..\\..\\x",
        "a/..\\..\\x",
        "~/.ssh/id_rsa",
        "~root/.ssh",
        "~\\x",
        "file:///etc/passwd",
        "FILE:///etc/passwd",
        "file:/etc/passwd",
        "file:///nowhere-at-all/x",
        "file://{root}/../x",
        "file:///%65tc/passwd",
        "file:../x",
        "file:%2e%2e/x",
        "file://server/share",
        "file:///C:/x",
        "C:\\Windows",
        "C:/Windows",
        "c:\\x",
        "\\\\server\\share",
        "\\\\server/share",
        "\\\\?\\C:\\x",
        "out",
        "out/x",
        "./out/not-yet-made",
        "out/../x",
        "loop",
        "../" * 3000,
        "/etc/x/../" + "y/../" * 2000 + "passwd",
    ],
)
def test_path_that_leaves_the_project_is_found(project: ProjectRoot, tree: Path, text: str) -> None:
    text = text.format(root=tree) if "{root}" in text else text
    assert project.find_escaping_path({"a": [text]}) == ("a[0]", text)


@pytest.mark.parametrize(
    ("value", "place"),
    [
        ({"a": 1, "b": {"c": ["x", {"d": "../x"}]}}, "b.c[1].d"),
        ({"a b": {"": "../x"}}, "['a b']['']"),
        (["ok", "../x", "../y"], "[1]"),
        ({"first": "../x", "second": "../x"}, "first"),
    ],
)
def test_first_place_is_named(project: ProjectRoot, value: Any, place: str) -> None:
    assert project.find_escaping_path(value) == (place, "../x")


def test_keys_numbers_and_nulls_are_no_paths(project: ProjectRoot) -> None:
    assert project.find_escaping_path({"../x": [1, 2.5, None, True, {}]}) is None


def test_depth_recurses_nowhere(project: ProjectRoot) -> None:
    value: Any = "../x"
    for _ in range(100_000):
        value = [value]
    found = project.find_escaping_path(value)
    assert found is not None
    assert found[0] == "[0]" * 100_000


@pytest.mark.parametrize(
    "value",
    [
        ["hello"] * 100_000,
        ["x" * 10_000_000],
        ["/" + "a/" * 2_000_000 + ".."],
        ["a/../" * 1_000_000],
        ["~" * 5_000_000],
        ["\\" * 5_000_000],
        [" " * 5_000_000 + "x"],
    ],
    ids=["many", "long", "deep", "up and down", "tildes", "backslashes", "spaces"],
)
def test_huge_value_takes_linear_time(project: ProjectRoot, value: Any) -> None:
    started_s = time.process_time()
    assert project.find_escaping_path(value) is None
    # Generous for a slow machine; anything quadratic would take minutes.
    assert time.process_time() - started_s < 5
