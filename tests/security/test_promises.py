"""SECURITY.md says what `sidecar:info` reports, name by name, and where to read more."""

import re
from pathlib import Path

from tests.integration.driver import Driver

ROOT = Path(__file__).parents[2]
TEXT = (ROOT / "SECURITY.md").read_text()


def table() -> dict[str, list[str]]:
    """Of the table of protections: the values that each name may have when in force."""
    rows = re.findall(r"^\| `(\w+)` \| ([^|]+) \|", TEXT, re.MULTILINE)
    return {name: re.findall(r"`([\w-]+)`", values) for name, values in rows}


def test_each_protection_that_the_daemon_reports_is_explained(tmp_path: Path) -> None:
    with Driver(tmp_path) as driver:
        reported = driver.call("sidecar:info")["isolation"]
    told = table()
    assert set(reported) <= set(told)
    for name, value in reported.items():
        # A launcher's name says how, not whether.
        assert name == "launcher" or value in (*told[name], "none", "unproven", "off"), name


def test_what_it_names_is_there() -> None:
    makefile = (ROOT / "Makefile").read_text()
    assert all(f"\n{target}:" in makefile for target in re.findall(r"`make (\w+)`", TEXT))
    assert "SECURITY.md" in (ROOT / "README.md").read_text()
