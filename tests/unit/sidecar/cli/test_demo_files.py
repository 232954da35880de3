"""What the demo is made of: which files are served, where the sample goes, what is remembered."""

import json
import os
import sys
from pathlib import Path

import pytest

from sidecar.cli import demo_files
from sidecar.cli.demo_files import Door
from sidecar.errors import UsageError


@pytest.fixture
def demo() -> Path:
    return demo_files.demo_folder()


def test_the_page_is_served_and_nothing_else_that_lies_there(demo: Path) -> None:
    pages = demo_files.page_files(demo)
    assert pages["/"] == pages["/index.html"]
    assert pages["/"].content_type == "text/html; charset=utf-8"
    assert {"/app.js", "/components/App.js", "/styles/tokens.css", "/vendor/preact.js"} <= set(
        pages
    )
    assert pages["/vendor/inter.woff2"].content_type == "font/woff2"
    others = ("sample-project", "electron", "package.json", "tsconfig", ".d.ts", ".mjs", "LICENSE")
    assert not [path for path in pages if any(other in path for other in others)]


def test_every_file_of_the_page_comes_with_a_strict_policy(demo: Path) -> None:
    for page in demo_files.page_files(demo).values():
        policy = page.headers["Content-Security-Policy"]
        assert policy.startswith("default-src 'none'; ")
        assert "unsafe" not in policy
        assert "*" not in policy
        assert "frame-ancestors 'none'" in policy
        assert page.headers["Referrer-Policy"] == "no-referrer"
        assert page.headers["X-Content-Type-Options"] == "nosniff"


def test_every_file_that_the_page_asks_for_is_served(demo: Path) -> None:
    pages = demo_files.page_files(demo)
    for path, page in pages.items():
        if path.endswith(".js") and "/vendor/" not in path:
            folder = Path(path).parent
            for line in page.body.decode().splitlines():
                if line.startswith(("import", "} from")) and ' from "' in line:
                    name = line.split(' from "')[1].split('"')[0]
                    assert os.path.normpath(folder / name) in pages, (path, name)


def test_an_installation_without_the_demo_says_so(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr("sidecar.__file__", str(tmp_path / "sidecar" / "__init__.py"))
    with pytest.raises(UsageError, match="install it again"):
        demo_files.demo_folder()


@pytest.mark.skipif(sys.platform == "win32", reason="about the folders of POSIX systems")
def test_the_data_folder_is_where_the_system_keeps_such_things(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("XDG_DATA_HOME", "relative")
    monkeypatch.setattr(sys, "platform", "linux")
    assert demo_files.data_folder() == tmp_path / ".local" / "share" / "workflow-sidecar"
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "xdg"))
    assert demo_files.data_folder() == tmp_path / "xdg" / "workflow-sidecar"
    monkeypatch.setattr(sys, "platform", "darwin")
    monkeypatch.delenv("XDG_DATA_HOME")
    library = tmp_path / "Library" / "Application Support"
    assert demo_files.data_folder() == library / "workflow-sidecar"
    monkeypatch.setattr(sys, "platform", "win32")
    monkeypatch.setenv("LOCALAPPDATA", str(tmp_path / "local"))
    assert demo_files.data_folder() == tmp_path / "local" / "workflow-sidecar"


def test_a_data_folder_that_cannot_be_made_is_told_with_a_way_out(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / "file").touch()
    monkeypatch.setattr(sys, "platform", "linux")
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "file"))
    with pytest.raises(UsageError, match="XDG_DATA_HOME"):
        demo_files.data_folder()


def test_without_a_home_folder_the_way_out_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    def no_home() -> Path:
        raise RuntimeError

    monkeypatch.delenv("XDG_DATA_HOME", raising=False)
    monkeypatch.setattr(sys, "platform", "linux")
    monkeypatch.setattr(Path, "home", no_home)
    with pytest.raises(UsageError, match="HOME names one"):
        demo_files.data_folder()


def test_the_sample_is_copied_once_and_keeps_what_its_user_makes_of_it(
    demo: Path, tmp_path: Path
) -> None:
    copy = demo_files.sample_copy(demo, tmp_path)
    assert (copy / "scripts" / "report.py").is_file()
    assert not list(copy.rglob("__pycache__"))
    (copy / "workflow.yaml").write_text("mine")
    assert demo_files.sample_copy(demo, tmp_path) == copy
    assert (copy / "workflow.yaml").read_text() == "mine"
    assert [file.name for file in tmp_path.iterdir()] == ["sample-project"]


def test_a_sample_that_cannot_be_copied_is_told_and_leaves_nothing(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="the sample cannot be copied to"):
        demo_files.sample_copy(tmp_path / "nowhere", tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_the_next_demo_has_the_token_and_the_port_of_the_last(tmp_path: Path) -> None:
    first = Door(tmp_path)
    assert first.port == 0
    assert len(first.token) >= 32
    first.keep(1234)
    again = Door(tmp_path)
    assert (again.token, again.port) == (first.token, 1234)
    if os.name == "posix":
        assert (tmp_path / "demo.json").stat().st_mode & 0o777 == 0o600
    assert [file.name for file in tmp_path.iterdir()] == ["demo.json"]


@pytest.mark.parametrize(
    "kept",
    [
        "",
        "{",
        "[]",
        "{}",
        "null",
        json.dumps({"token": "short", "port": 1}),
        json.dumps({"token": 5, "port": 1}),
        json.dumps({"token": "x" * 40, "port": "1"}),
    ],
)
def test_what_cannot_be_used_of_the_last_demo_is_none(tmp_path: Path, kept: str) -> None:
    (tmp_path / "demo.json").write_text(kept)
    door = Door(tmp_path)
    assert door.port == 0
    assert len(door.token) >= 32
    assert "x" * 40 not in door.token


def test_two_demos_that_remember_nothing_have_two_tokens(tmp_path: Path) -> None:
    nothing = Door(None)
    nothing.keep(5)
    assert nothing.token != Door(None).token
    gone = Door(tmp_path / "gone")
    gone.keep(5)  # nothing is lost but the next demo's memory
    assert list(tmp_path.iterdir()) == []
