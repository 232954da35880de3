"""What was asked for is shown by tests that exist, and nothing else claims to show it."""

import re
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

from tests.requirements import TABLE, by_test, main, read

CHECKOUT = Path(__file__).parents[1]
#: The shape of an id, wherever one is mentioned.
ID = re.compile(
    r"\b(?:FR-9\.2\.\d+|(?:NFR|SEC)-[A-Z]+-\d+|(?:CON|TC|E2E|RISK|AC)-\d+)\b(?!\.\d|-[A-Za-z])"
)
#: The plan's own counts: requirements cannot be lost by deleting an entry.
COUNTS = {
    "FR-9.2": 8,
    "NFR-PERF": 3,
    "NFR-SEC": 4,
    "NFR-REL": 3,
    "CON": 3,
    "TC": 6,
    "E2E": 2,
    "SEC-PATH": 3,
    "SEC-PROC": 3,
    "SEC-TIME": 3,
    "SEC-INPUT": 3,
    "SEC-LOG": 3,
    "RISK": 5,
    "AC": 13,
}
REQUIREMENTS = read(TABLE.read_text(encoding="utf-8"))


def test_everything_that_was_asked_for_is_in_the_table() -> None:
    assert list(REQUIREMENTS) == [
        f"{kind}{'.' if kind == 'FR-9.2' else '-'}{number + 1}"
        for kind, count in COUNTS.items()
        for number in range(count)
    ]


@pytest.mark.parametrize("name", REQUIREMENTS)
def test_a_requirement_is_a_sentence_and_has_a_test(name: str) -> None:
    assert REQUIREMENTS[name].says.endswith(".")
    assert REQUIREMENTS[name].tests


def test_every_test_that_the_table_names_exists() -> None:
    named = by_test(REQUIREMENTS)
    files = sorted({test.partition("::")[0] for test in named})
    command = [sys.executable, "-m", "pytest", "--collect-only", "-q", "-p", "no:cacheprovider"]
    done = subprocess.run(
        [*command, *(f"tests/{file}" for file in files)],
        cwd=CHECKOUT,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    there = {
        line.partition("[")[0].removeprefix("tests/")
        for line in done.stdout.splitlines()
        if "::" in line
    }
    assert sorted(set(named) - there) == []


def test_every_id_that_is_mentioned_is_in_the_table() -> None:
    files = [CHECKOUT / "README.md", CHECKOUT / "CHANGELOG.md"]
    for folder in ("sidecar", "protocol", "tests", "renderer-demo"):
        for pattern in ("*.py", "*.md", "*.js", "*.ts", "*.toml"):
            files += (CHECKOUT / folder).rglob(pattern)
    mentioned: dict[str, set[str]] = {}
    for file in files:
        if "node_modules" not in file.parts and file != Path(__file__):
            for name in ID.findall(file.read_text(encoding="utf-8", errors="replace")):
                mentioned.setdefault(name, set()).add(file.name)
    assert mentioned
    assert {name: where for name, where in mentioned.items() if name not in REQUIREMENTS} == {}


def test_an_unknown_id_would_be_found() -> None:
    assert ID.findall("see FR-9.2.9, NFR-PERF-4 and TC-7, but not UTF-8 or AC-1.5") == [
        "FR-9.2.9",
        "NFR-PERF-4",
        "TC-7",
    ]


def test_the_map_is_printed_from_the_tests_side(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["test_an_endless_loop"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].endswith("::test_an_endless_loop_ends_after_thirty_seconds")
    assert [line.split()[0] for line in lines[1:]] == ["FR-9.2.2", "TC-2", "AC-2"]


def test_the_test_command_fails_below_ninety_per_cent_of_coverage() -> None:
    settings = tomllib.loads((CHECKOUT / "pyproject.toml").read_text(encoding="utf-8"))["tool"]
    assert settings["coverage"]["report"]["fail_under"] > 90
    assert settings["coverage"]["run"]["branch"]
    assert {"sidecar", "protocol"} <= set(settings["coverage"]["run"]["source"])
    assert "coverage report" in _recipe("check")


def test_the_test_command_leaves_no_test_out() -> None:
    settings = tomllib.loads((CHECKOUT / "pyproject.toml").read_text(encoding="utf-8"))["tool"]
    assert settings["pytest"]["ini_options"]["testpaths"] == ["tests"]
    given = [*settings["pytest"]["ini_options"]["addopts"], *_recipe("check").split()]
    leaving_out = ("-k", "-m", "--ignore", "--deselect", "--lf", "--last-failed")
    # `-m pytest` and `-m` of coverage are how it is started.
    assert [
        word
        for word, next_word in zip(given, [*given[1:], ""], strict=True)
        if word.startswith(leaving_out) and next_word != "pytest"
    ] == []
    assert re.search(r"^test: .*\bcheck\b", (CHECKOUT / "Makefile").read_text(), re.MULTILINE)


def _recipe(target: str) -> str:
    makefile = (CHECKOUT / "Makefile").read_text(encoding="utf-8")
    found = re.search(rf"^{target}:.*\n((?:\t.*\n)+)", makefile, re.MULTILINE)
    assert found is not None
    return found[1]
