"""The project's boundary: which paths open, which are refused, and with which words."""

import errno
import os
import socket
from collections.abc import Callable
from pathlib import Path

import pytest

from sidecar.errors import PathError, PathNotFound, PathOutsideProject, PathUnavailable
from sidecar.scripts import paths
from sidecar.scripts.paths import ProjectRoot
from tests.unit.sidecar.scripts.conftest import open_descriptors

OUTSIDE = "Script path outside project directory"


@pytest.fixture
def tree(project: ProjectRoot, tmp_path: Path) -> Path:
    """A project with scripts in it and something to steal beside it."""
    inside = project.path
    (inside / "scripts").mkdir()
    for name in ("ok.py", "scripts/ok.py"):
        (inside / name).write_text("print('{}')")
    for name in ("..legit.py", "a..b.py", ".hidden.py", "-c", "-m", "$HOME", "~", "%2e%2e", "*.py"):
        (inside / name).write_text("")
    for name in ("ünïcode 日本.py", "sp ace.py", "semi;colon.py", "／etc", "con1.py", "x" * 250):
        (inside / name).write_text("")
    (tmp_path / "project-evil").mkdir()
    (tmp_path / "project-evil" / "ok.py").write_text("")
    (tmp_path / "outside.py").write_text("")
    (tmp_path / "outside").mkdir()
    (tmp_path / "outside" / "x.py").write_text("")
    return inside


def opened(project: ProjectRoot, path: str) -> str:
    with project.open_file(path) as file:
        os.fstat(file.fd)
        return file.relative


@pytest.mark.parametrize(
    ("path", "relative"),
    [
        ("ok.py", "ok.py"),
        ("./ok.py", "ok.py"),
        ("scripts/ok.py", "scripts/ok.py"),
        ("./scripts//./ok.py", "scripts/ok.py"),
        ("scripts/../ok.py", "ok.py"),
        ("missing/../ok.py", "ok.py"),
        *((name, name) for name in ("..legit.py", "a..b.py", ".hidden.py", "-c", "-m", "$HOME")),
        *((name, name) for name in ("~", "%2e%2e", "*.py", "ünïcode 日本.py", "sp ace.py")),
        *((name, name) for name in ("semi;colon.py", "／etc", "con1.py", "x" * 250)),
    ],
)
def test_file_of_the_project_opens(
    project: ProjectRoot, tree: Path, path: str, relative: str
) -> None:
    assert opened(project, path) == relative


@pytest.mark.parametrize(
    "path",
    [
        "../outside.py",
        "..",
        "../",
        "../project/ok.py",
        "scripts/../../project/ok.py",
        "../project-evil/ok.py",
        "a/b/../../../ok.py",
        "/etc/passwd",
        "{root}/ok.py",
        "/",
        "//etc/passwd",
        "..\\outside.py",
        "scripts\\..\\..\\outside.py",
        "scripts/..\\../outside.py",
        "C:\\Windows\\x.py",
        "C:/Windows/x.py",
        "c:ok.py",
        "\\\\server\\share\\x.py",
        "\\ok.py",
        "\\\\?\\C:\\x.py",
    ],
)
def test_path_that_leaves_the_project_is_outside(
    project: ProjectRoot, tree: Path, path: str
) -> None:
    with pytest.raises(PathOutsideProject) as caught:
        project.open_file(path.format(root=tree))
    assert str(caught.value) == OUTSIDE


@pytest.mark.parametrize(
    ("path", "message"),
    [
        ("", "Script path is empty"),
        (".", 'Script path names the project directory itself: "."'),
        ("scripts/..", 'Script path names the project directory itself: "scripts/.."'),
        ("ok.py/", 'Script path names a directory, not a file: "ok.py/"'),
        ("ok.py/.", 'Script path names a directory, not a file: "ok.py/."'),
        ("scripts", 'Script is a directory, not a file: "scripts"'),
        ("ok.py\0.txt", 'Script path holds a control character: "ok.py\\u0000.txt"'),
        ("ok\n.py", 'Script path holds a control character: "ok\\n.py"'),
        ("ok\x1b[31m.py", 'Script path holds a control character: "ok\\u001b[31m.py"'),
        ("ok\x7f.py", 'Script path holds a control character: "ok\\u007f.py"'),
        ("ok\ud800.py", 'Script path is not valid Unicode: "ok\\ud800.py"'),
        ("scripts\\ok.py", 'Script path must use forward slashes: "scripts\\\\ok.py"'),
        ("ok.py:stream", 'Script path must not hold a colon: "ok.py:stream"'),
        ("file:ok.py", 'Script path must not hold a colon: "file:ok.py"'),
        ("ok.py.", 'Script path has a name that ends in a dot or a space: "ok.py."'),
        ("ok.py ", 'Script path has a name that ends in a dot or a space: "ok.py "'),
        ("a./ok.py", 'Script path has a name that ends in a dot or a space: "a./ok.py"'),
        (".../ok.py", 'Script path has a name that ends in a dot or a space: ".../ok.py"'),
        *(
            (name, f'Script path has a name that Windows keeps for a device: "{name}"')
            for name in ("CON", "nul.txt", "aux/x.py", "com1.tar.gz", "LPT¹", "prn .py", "CONIN$")
        ),
        ("x" * 256, f'Script path is too long: "{"x" * 160}…"'),
        ("é" * 128, f'Script path is too long: "{"é" * 128}"'),
        ("x/" * 2047 + "xy", f'Script path is too long: "{"x/" * 80}…"'),
    ],
)
def test_malformed_path_is_refused_with_its_reason(
    project: ProjectRoot, tree: Path, path: str, message: str
) -> None:
    with pytest.raises(PathError) as caught:
        project.open_file(path)
    assert str(caught.value) == message
    assert type(caught.value) is PathError


@pytest.mark.parametrize("path", ["./x.py", "scripts/no/x.py", "ok.py/x.py"])
def test_missing_file_is_named_as_written(project: ProjectRoot, tree: Path, path: str) -> None:
    with pytest.raises(PathNotFound) as caught:
        project.open_file(path)
    assert str(caught.value) == f'Script not found: "{path}"'


def test_what_is_opened_gives_the_message_its_noun(project: ProjectRoot) -> None:
    with pytest.raises(PathOutsideProject, match=r"^Workflow path outside project directory$"):
        project.open_file("../x.yaml", what="Workflow")


@pytest.mark.parametrize(
    ("link", "target"),
    [
        ("link.py", "ok.py"),
        ("link.py", "{root}/ok.py"),
        ("link.py", "../project/ok.py"),
        ("folder/link.py", "../scripts/ok.py"),
        ("chain.py", "chain2.py"),
    ],
)
def test_link_that_stays_inside_opens(
    project: ProjectRoot, tree: Path, link: str, target: str
) -> None:
    (tree / "folder").mkdir()
    (tree / "chain2.py").symlink_to("scripts/ok.py")
    (tree / link).symlink_to(target.format(root=tree))
    with project.open_file(link) as file:
        assert os.read(file.fd, 100) == b"print('{}')"
        assert file.relative == link
        assert file.absolute == str(tree / link)
        assert file.folder == str((tree / link).resolve().parent)


def test_file_behind_a_linked_folder_opens(project: ProjectRoot, tree: Path) -> None:
    (tree / "linked").symlink_to(tree / "scripts")
    assert opened(project, "linked/ok.py") == "linked/ok.py"


@pytest.mark.parametrize(
    ("link", "target", "path"),
    [
        ("link.py", "../outside.py", "link.py"),
        ("link.py", "{root}/../outside.py", "link.py"),
        ("link.py", "{root}-evil/ok.py", "link.py"),
        ("linked", "../outside", "linked/x.py"),
        ("linked", "..", "linked/outside.py"),
        ("chain.py", "hop.py", "chain.py"),
        ("dangling.py", "../created-later.py", "dangling.py"),
        ("magic", "/proc/self/cwd", "magic/ok.py"),
        ("root", "/", "root/etc/passwd"),
    ],
)
def test_link_that_leaves_is_outside(
    project: ProjectRoot, tree: Path, link: str, target: str, path: str
) -> None:
    (tree / "hop.py").symlink_to("../outside.py")
    (tree / link).symlink_to(target.format(root=tree))
    with pytest.raises(PathOutsideProject, match=f"^{OUTSIDE}$"):
        project.open_file(path)


def test_dangling_link_inside_is_not_found(project: ProjectRoot, tree: Path) -> None:
    (tree / "link.py").symlink_to("later.py")
    with pytest.raises(PathNotFound):
        project.open_file("link.py")


def test_links_that_never_end_are_refused(project: ProjectRoot, tree: Path) -> None:
    (tree / "a.py").symlink_to("b.py")
    (tree / "b.py").symlink_to("a.py")
    with pytest.raises(PathError, match=r'^Script leads through links that never end: "a.py"$'):
        project.open_file("a.py")


def test_path_that_links_make_too_long_for_the_kernel_is_refused(
    project: ProjectRoot, tree: Path
) -> None:
    # The lenient realpath says "inside" of such a path, while a kernel may follow it outside.
    deep = tree
    for _ in range(20):
        deep /= "d" * 200
    folder = os.open(tree, os.O_RDONLY)
    for _ in range(20):
        os.mkdir("d" * 200, dir_fd=folder)
        below = os.open("d" * 200, os.O_RDONLY, dir_fd=folder)
        os.close(folder)
        folder = below
    os.symlink("/etc/passwd", "leak.py", dir_fd=folder)
    os.close(folder)
    with pytest.raises(PathError) as caught:
        project.open_file("/".join(["d" * 200] * 20) + "/leak.py")
    assert "is too long" in str(caught.value)


def make_fifo(path: Path) -> None:
    os.mkfifo(path)


def make_socket(path: Path) -> None:
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(os.path.relpath(path))


@pytest.mark.parametrize("make", [make_fifo, make_socket])
def test_special_file_is_refused_without_waiting_for_it(
    project: ProjectRoot,
    tree: Path,
    make: Callable[[Path], None],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.chdir(tree)
    make(tree / "special.py")
    with pytest.raises(PathError, match=r'^Script is not a regular file: "special.py"$'):
        project.open_file("special.py")


def test_device_behind_a_link_is_outside(project: ProjectRoot, tree: Path) -> None:
    (tree / "zero.py").symlink_to("/dev/zero")
    with pytest.raises(PathOutsideProject):
        project.open_file("zero.py")


@pytest.mark.parametrize(
    ("number", "message"),
    [
        (errno.EACCES, 'Script may not be read: "ok.py"'),
        (errno.EIO, 'Script cannot be opened: "ok.py"'),
        (errno.EMFILE, "Script cannot be opened: Too many open files"),
    ],
)
def test_errors_of_the_system_name_no_absolute_path(
    project: ProjectRoot, tree: Path, monkeypatch: pytest.MonkeyPatch, number: int, message: str
) -> None:
    def fail(*_: object, **__: object) -> int:
        raise OSError(number, os.strerror(number), str(tree))

    monkeypatch.setattr(os, "open", fail)
    with pytest.raises(PathError) as caught:
        project.open_file("ok.py")
    assert str(caught.value) == message


def test_swap_between_check_and_open_runs_nothing_from_outside(
    project: ProjectRoot, tree: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # The moment an attacker waits for: links are resolved, the file is not yet open.
    (tree / "real").mkdir()
    (tree / "real" / "x.py").write_text("")
    (tree / "linked").symlink_to("real")
    resolve = ProjectRoot._resolve

    def swap(self: ProjectRoot, components: list[str]) -> str:
        real = resolve(self, components)
        (tree / "real").rename(tree / "moved")
        (tree / "real").symlink_to(tree.parent / "outside")
        return real

    monkeypatch.setattr(ProjectRoot, "_resolve", swap)
    with pytest.raises(PathError):
        project.open_file("linked/x.py")


def test_opened_file_stays_the_one_that_was_checked(project: ProjectRoot, tree: Path) -> None:
    with project.open_file("ok.py") as file:
        (tree / "ok.py").unlink()
        (tree / "ok.py").symlink_to("../outside.py")
        assert os.read(file.fd, 100) == b"print('{}')"


def test_opened_descriptor_is_not_inherited(project: ProjectRoot, tree: Path) -> None:
    with project.open_file("ok.py") as file:
        assert not os.get_inheritable(file.fd)


def test_nothing_stays_open_after_a_check(project: ProjectRoot, tree: Path) -> None:
    before = open_descriptors()
    project.check("scripts/ok.py")
    for path in ("scripts", "none.py", "../x", "none/none.py", "scripts/none.py"):
        with pytest.raises(PathError):
            project.check(path)
    assert open_descriptors() == before


class TestRoot:
    def test_root_that_is_a_link_works(self, tree: Path, tmp_path: Path) -> None:
        (tmp_path / "link").symlink_to(tree)
        with ProjectRoot(tmp_path / "link") as project:
            assert project.path == tree
            assert opened(project, "ok.py") == "ok.py"
            project.check_input_path(str(tmp_path / "link" / "ok.py"), "file")
            assert project.find_escaping_path(str(tmp_path / "link" / "ok.py")) is None

    def test_root_is_opened_once(self, tree: Path, tmp_path: Path) -> None:
        with ProjectRoot(tree) as project:
            tree.rename(tmp_path / "moved")
            tree.symlink_to(tmp_path / "outside")
            with pytest.raises(PathNotFound):
                project.open_file("x.py")

    def test_relative_root_is_made_absolute(
        self, tree: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.chdir(tree.parent)
        with ProjectRoot("project") as project:
            assert project.path == tree

    def test_whole_machine_may_be_the_project(self) -> None:
        with ProjectRoot("/") as project:
            project.check("etc/passwd")
            assert project.find_escaping_path("/etc/passwd") is None

    @pytest.mark.parametrize(
        ("name", "error", "message"),
        [
            ("missing", PathNotFound, "Project directory not found: "),
            ("outside.py", PathError, "Project is not a directory: "),
            ("loop", PathError, "Project directory cannot be used: "),
            ("x" * 256, PathError, "Project directory cannot be used: "),
            ("\0", PathError, "Project directory cannot be used: "),
        ],
    )
    def test_unusable_root_is_refused(
        self, tree: Path, tmp_path: Path, name: str, error: type[PathError], message: str
    ) -> None:
        (tmp_path / "loop").symlink_to("loop")
        with pytest.raises(error) as caught:
            ProjectRoot(tmp_path / name)
        assert str(caught.value).startswith(message)
        assert type(caught.value) is error


class TestInputPath:
    @pytest.mark.parametrize(
        ("value", "kind"),
        [
            ("ok.py", "file"),
            ("{root}/ok.py", "file"),
            ("{root}/scripts/../ok.py", "file"),
            ("made/later.txt", "file"),
            ("{root}/made/later.txt", "file"),
            ("scripts", "directory"),
            ("scripts/", "directory"),
            ("{root}", "directory"),
            (".", "directory"),
            ("made", "directory"),
        ],
    )
    def test_path_inside_passes(
        self, project: ProjectRoot, tree: Path, value: str, kind: str
    ) -> None:
        project.check_input_path(value.format(root=tree), kind)  # type: ignore[arg-type]

    @pytest.mark.parametrize(
        ("value", "kind", "message"),
        [
            ("", "file", "File path is empty"),
            ("ok.py", "directory", 'Directory is not a directory: "ok.py"'),
            ("scripts", "file", 'File is a directory, not a file: "scripts"'),
            ("fifo", "file", 'File is not a regular file: "fifo"'),
            ("../outside.py", "file", "File path outside project directory"),
            ("/etc/passwd", "file", "File path outside project directory"),
            ("{root}-evil/ok.py", "file", "File path outside project directory"),
            ("{root}/../outside", "directory", "Directory path outside project directory"),
            ("linked", "directory", "Directory path outside project directory"),
            ("linked/made-later", "file", "File path outside project directory"),
            ("/\0", "file", 'File path holds a control character: "/\\u0000"'),
            ("C:\\x", "file", "File path outside project directory"),
            ("/" + "x" * 5000, "file", f'File path is too long: "/{"x" * 159}…"'),
            ("loop/x", "file", 'File leads through links that never end: "loop/x"'),
        ],
    )
    def test_any_other_path_is_refused(
        self, project: ProjectRoot, tree: Path, value: str, kind: str, message: str
    ) -> None:
        (tree / "linked").symlink_to("../outside")
        (tree / "loop").symlink_to("loop")
        os.mkfifo(tree / "fifo")
        with pytest.raises(PathError) as caught:
            project.check_input_path(value.format(root=tree), kind)  # type: ignore[arg-type]
        assert str(caught.value) == message


class TestWithoutDirFd:
    """The way of Windows, on this system."""

    @pytest.fixture
    def windows(self, tree: Path, monkeypatch: pytest.MonkeyPatch) -> ProjectRoot:
        monkeypatch.setattr(paths, "_HAS_DIR_FD", False)
        return ProjectRoot(tree)

    def test_file_of_the_project_opens(self, windows: ProjectRoot, tree: Path) -> None:
        (tree / "link.py").symlink_to("scripts/ok.py")
        assert opened(windows, "link.py") == "link.py"
        windows.close()

    def test_link_that_leaves_is_outside(self, windows: ProjectRoot, tree: Path) -> None:
        (tree / "link.py").symlink_to("../outside.py")
        with pytest.raises(PathOutsideProject):
            windows.open_file("link.py")


@pytest.mark.skipif(os.name == "nt", reason="Windows has no such limit")
def test_no_descriptor_left_is_no_fault_of_the_path(project: ProjectRoot, tree: Path) -> None:
    import resource

    limits = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (0, limits[1]))
    try:
        with pytest.raises(PathUnavailable) as caught:
            project.open_file("ok.py")
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, limits)
    assert str(caught.value) == "Script cannot be opened: Too many open files"
