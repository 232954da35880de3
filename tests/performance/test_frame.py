"""The frame that the figures stand in: what it computes, and that its parts can be run."""

from pathlib import Path
from xml.etree import ElementTree

import pytest

from tests.performance import document
from tests.performance.__main__ import benchmarks, main
from tests.performance.figures import Figure, Row
from tests.performance.plot import curves_of, plot


def test_a_row_compares_medians_and_names_the_greatest_of_few_rounds() -> None:
    baseline = Figure("theirs", [2.0, 4.0, 300.0])
    row = Figure("ours", [1.0, 2.0, 9.0]).row(baseline, limit_ms=50)
    assert (row.p50, row.p99, row.ratio) == (2.0, 9.0, 0.5)
    for part in ("ours", "2.000", "9.000", "50 ms", "0.50 x", "theirs", "4.000 ms"):
        assert part in str(row)


def test_the_plot_shows_each_curve_relative_to_its_lowest_cost() -> None:
    rows = [
        Row("a, 100", 3.0, curve="a & b", size=100),
        Row("a, 10", 1.5, curve="a & b", size=10),
        Row("b, 1", 100.0, unit="1/s", curve="b", size=1),
        Row("b, 10", 25.0, unit="1/s", curve="b", size=10),
        Row("lonely", 1.0, curve="one point", size=1),
        Row("no curve", 1.0),
    ]
    assert curves_of(rows) == {"a & b": [(10, 1.0), (100, 2.0)], "b": [(1, 1.0), (10, 4.0)]}
    drawn = ElementTree.fromstring(plot(rows))  # noqa: S314 - our own text
    assert len(drawn.findall("{*}polyline")) == 2
    assert "a & b: 2.00 x at 100" in drawn.findtext("{*}title", "")


def test_a_table_without_curves_still_has_a_plot() -> None:
    assert ElementTree.fromstring(plot([])).tag.endswith("svg")  # noqa: S314 - our own text


def test_every_module_of_the_table_has_benchmarks_with_a_sentence_each() -> None:
    found = list(benchmarks([]))
    assert len(found) > 4
    for name, part, benchmark in found:
        assert part, name
        assert benchmark.__doc__, name


def test_one_benchmark_can_be_taken_and_written_by_its_name(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("sys.argv", ["bench", "--out", str(tmp_path), "idle_memory"])
    assert main() == 0
    assert "daemon's memory, idle" in capsys.readouterr().out
    assert "daemon's memory, idle" in (tmp_path / "figures.json").read_text()
    assert (tmp_path / "cost.svg").exists()


def test_a_benchmark_that_cannot_be_run_is_told_and_fails_the_command(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def broken(folder: Path) -> list[Row]:
        """Fails."""
        raise RuntimeError("no such machine")

    monkeypatch.setattr("tests.performance.memory.BENCHMARKS", (broken,))
    monkeypatch.setattr("sys.argv", ["bench", "--out", str(tmp_path), "memory.broken"])
    assert main() == 1
    assert "no such machine" in capsys.readouterr().err


def test_a_part_that_cannot_be_imported_costs_the_others_nothing(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr("tests.performance.__main__.MODULES", ("no_such_module", "memory"))
    broken, *others = benchmarks([])
    with pytest.raises(ModuleNotFoundError, match="no_such_module"):
        list(broken[2](tmp_path))
    assert [name for name, _, _ in others] == ["memory.idle_memory"]


def test_the_page_of_figures_and_the_readmes_table_are_what_the_data_says() -> None:
    assert document.PAGE.read_text(encoding="utf-8") == document.page()
    readme = document.README.read_text(encoding="utf-8")
    assert document.BEGIN + document.summary() + document.END in readme
