"""The reference page: every method, event, error and field is on it, and every link leads on."""

import re

import pytest

from protocol import generate
from protocol.errors import WIRE_ERRORS
from protocol.methods import CANCEL_NOTIFICATION, METHODS
from protocol.reference import reference
from tests.unit.protocol.test_events import EVENTS

PAGE = reference()


def section(title: str) -> str:
    """What stands below a heading, up to the next."""
    found = re.search(rf"^#+ {re.escape(title)}.*?\n(.*?)(?=^#|\Z)", PAGE, re.M | re.S)
    assert found is not None, title
    return found[1]


@pytest.mark.parametrize("name", METHODS)
def test_a_method_has_its_params_its_errors_and_an_example(name: str) -> None:
    method = METHODS[name]
    text = section(f"`{name}`")

    assert re.findall(r"^\| `(\w+)`", text, re.M) == list(method.params.model_fields)
    assert method.summary in text
    assert "Result: " in text
    assert "```json" in text
    for error in method.errors:
        assert f"`{error.type}`" in text


@pytest.mark.parametrize("event_type", EVENTS)
def test_an_event_has_its_fields_and_tells_which_may_be_absent(event_type: str) -> None:
    data, optional = EVENTS[event_type]
    rows = re.findall(r"^\| `(\w+)`( \(optional\))?", section(f"`{event_type}`"), re.M)

    assert [name for name, _ in rows] == list(data)
    assert {name for name, mark in rows if mark} == optional


def test_what_all_events_share_is_told_once() -> None:
    rows = re.findall(r"^\| `(\w+)`", section("`workflow:execution:event`"), re.M)

    assert set(rows) == {
        "workflow_id",
        "execution_id",
        "seq",
        "timestamp",
        "step_id",
        "event_type",
        "data",
    }


def test_every_error_has_a_row() -> None:
    rows = re.findall(r"^\| (-\d+) \| `(\w+)` \| (.+?) \|", section("Errors"), re.M)

    assert rows == [(str(error.code), error.type, error.meaning) for error in WIRE_ERRORS]


def test_every_object_of_the_document_has_its_fields() -> None:
    event_types = {"".join(word.title() for word in name.split("_")) for name in EVENTS}
    elsewhere = {f"{name}{part}" for name in event_types for part in ("Event", "Data")}
    elsewhere |= {"ExecutionEvent", "CancelRequestParams"}
    for name, schema in generate.openrpc()["components"]["schemas"].items():
        if name not in elsewhere:
            rows = re.findall(r"^\| `([\w-]+)`", section(name), re.M)
            assert rows == list(schema.get("properties", {})), name


def test_every_link_leads_to_a_heading_or_a_file() -> None:
    page = (generate.ROOT / "README.md").read_text("utf-8")
    headings = {title.lower() for title in re.findall(r"^#+ (\w+)$", page, re.M)}
    anchors = set(re.findall(r"\]\(#(\w+)\)", page))
    files = set(re.findall(r"\]\(([^#)]+)\)", page))

    assert anchors
    assert anchors <= headings
    assert all((generate.ROOT / file).is_file() for file in files)


def test_the_client_reads_how_to_cancel() -> None:
    assert "-32800" in section(f"`{CANCEL_NOTIFICATION}`")


def test_every_row_has_as_many_cells_as_its_head() -> None:
    width = 0
    for line in PAGE.splitlines():
        cells = len(re.findall(r"(?<!\\)\|", line))
        if not line.startswith("|"):
            width = 0
        else:
            assert cells == (width or cells), line
            width = cells
