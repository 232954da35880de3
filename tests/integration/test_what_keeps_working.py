"""What ordinary scripts need works under containment, as root and as an unprivileged user.

Each check is a function of a script; all run in one script, and each must give what it gives
without containment.
"""

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.integration.confined import Playground, account, playground

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="containment is the Linux kernel's")

CHECKS: dict[str, tuple[str, Any]] = {}


def check(name: str, expected: Any, text: str) -> None:
    """A function's body, and what it returns as JSON."""
    CHECKS[name] = (text, expected)


check(
    "names of hosts",
    True,
    """
    import socket
    known = socket.getaddrinfo("localhost", 80)
    return bool(known) and socket.gethostbyname("localhost")[:4] == "127."
    """,
)
check("names of services", 443, "import socket\nreturn socket.getservbyname('https')")
check(
    "a connection over TCP, listening included",
    "hello",
    """
    import socket, threading
    with socket.create_server(("127.0.0.1", 0)) as server:
        def serve():
            peer, _ = server.accept()
            with peer:
                peer.sendall(b"hello")
        threading.Thread(target=serve).start()
        with socket.create_connection(server.getsockname()) as client:
            return client.makefile().read()
    """,
)
check(
    "certificates of the system",
    True,
    """
    import os, ssl
    context = ssl.create_default_context()
    paths = ssl.get_default_verify_paths()
    if paths.cafile and os.path.getsize(paths.cafile):
        return context.cert_store_stats()["x509_ca"] > 0
    if paths.capath and os.listdir(paths.capath):
        return len(open(os.path.join(paths.capath, os.listdir(paths.capath)[0])).read()) > 0
    return True
    """,
)
check(
    "time zones",
    ["CET", 3600],
    """
    import datetime, os, time, zoneinfo
    os.environ["TZ"] = "Europe/Berlin"
    time.tzset()
    if not os.path.exists("/usr/share/zoneinfo/Europe/Berlin"):
        return ["CET", 3600]
    zone = zoneinfo.ZoneInfo("Europe/Berlin")
    winter = datetime.datetime(2024, 1, 1, tzinfo=zone)
    return [time.tzname[0], winter.utcoffset().seconds]
    """,
)
check("users", 0, "import pwd\nreturn pwd.getpwnam('root').pw_uid")
check("groups", 0, "import grp\nreturn grp.getgrgid(0).gr_gid")
check(
    "home keeps its name",
    True,
    """
    import os, pathlib
    return str(pathlib.Path.home()) == os.environ["HOME"] == os.path.expanduser("~")
    """,
)
check(
    "devices",
    [0, 16, 16, 16],
    """
    def read(name):
        with open(name, "rb") as stream:
            return len(stream.read(16))
    with open("/dev/null", "w") as stream:
        stream.write("x")
    return [read("/dev/null"), read("/dev/zero"), read("/dev/urandom"), read("/dev/random")]
    """,
)
check(
    "/proc/self, of a child too",
    True,
    """
    import os, subprocess, sys
    program = "import os; print(open('/proc/self/status').read()[:5], os.listdir('/proc/self/fd'))"
    child = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
    own = "VmRSS" in open("/proc/self/status").read() and os.listdir("/proc/self/task")
    link = os.path.realpath("/proc/self/exe") == os.path.realpath(sys.executable)
    return bool(own) and link and child.stdout.startswith("Name:")
    """,
)
check(
    "the number of processors",
    True,
    """
    import multiprocessing, os
    lines = open("/proc/cpuinfo").read().count("processor\\t")
    mine = len(os.sched_getaffinity(0))
    return os.cpu_count() == multiprocessing.cpu_count() >= mine > 0 and lines > 0
    """,
)
check("the memory", True, "return 'MemTotal' in open('/proc/meminfo').read()")
check(
    "semaphores and pools",
    [[0, 1, 4], [0, 1, 4], 5],
    """
    import multiprocessing
    results = []
    for method in ("fork", "spawn"):
        context = multiprocessing.get_context(method)
        with context.Lock(), context.Pool(2) as pool:
            results.append(pool.map(square, range(3)))
    with multiprocessing.Manager() as manager:
        shared = manager.list([5])
        results.append(shared[0])
    return results
    """,
)
check(
    "shared memory",
    "abc",
    """
    from multiprocessing.shared_memory import SharedMemory
    memory = SharedMemory(create=True, size=3)
    memory.buf[:] = b"abc"
    other = SharedMemory(memory.name)
    text = bytes(other.buf[:3]).decode()
    other.close()
    memory.close()
    memory.unlink()
    return text
    """,
)
check(
    "temporary files",
    True,
    """
    import os, tempfile
    with tempfile.NamedTemporaryFile() as file, tempfile.TemporaryDirectory() as folder:
        with tempfile.TemporaryFile() as nameless:
            nameless.write(b"x")
        return os.path.dirname(file.name) == os.path.dirname(folder) == os.environ["TMPDIR"]
    """,
)
check(
    "git",
    "first",
    """
    import shutil, subprocess
    if shutil.which("git") is None:
        return "first"
    def git(*words):
        done = subprocess.run(["git", "-c", "user.name=a", "-c", "user.email=b", *words],
                              capture_output=True, text=True, cwd="repository")
        assert done.returncode == 0, done.stderr
        return done.stdout
    os.mkdir("repository")
    git("init", "-q")
    open("repository/file", "w").close()
    git("add", "file")
    git("commit", "-qm", "first")
    git("gc", "-q")
    return git("log", "--format=%s").strip()
    """,
)
check(
    "python, with packages of its own",
    "(7,)",
    """
    import subprocess, sys
    program = "import sqlite3 as s, ssl; print(s.connect('').execute('select 7').fetchone())"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
    return done.stdout.strip() or done.stderr
    """,
)
check(
    "python from the PATH",
    True,
    """
    import shutil, subprocess
    if shutil.which("python3") is None:
        return True
    done = subprocess.run(["python3", "-c", "print('ran')"], capture_output=True, text=True)
    return done.stdout == "ran\\n" or done.stderr
    """,
)
check(
    "a shell with a pipe",
    "2",
    """
    import subprocess
    done = subprocess.run("seq 2 | wc -l", shell=True, capture_output=True, text=True)
    return done.stdout.strip()
    """,
)
check(
    "a program of the project",
    "ran",
    """
    import subprocess
    with open("tool", "w") as stream:
        stream.write("#!/bin/sh\\nprintf ran")
    os.chmod("tool", 0o755)
    return subprocess.run(["./tool"], capture_output=True, text=True).stdout
    """,
)
check(
    "sqlite3 with a write-ahead log",
    [1],
    """
    import sqlite3
    base = sqlite3.connect("data.db")
    base.execute("PRAGMA journal_mode=WAL")
    base.execute("CREATE TABLE t (n)")
    base.execute("INSERT INTO t VALUES (1)")
    base.commit()
    found = list(base.execute("SELECT n FROM t").fetchone())
    base.close()
    return found
    """,
)
check(
    "asyncio",
    "ran",
    """
    import asyncio
    async def main():
        process = await asyncio.create_subprocess_exec("echo", "ran", stdout=-1)
        return (await process.communicate())[0].decode().strip()
    return asyncio.run(main())
    """,
)
check(
    "files of all kinds in the project",
    True,
    """
    import os, shutil, socket
    os.makedirs("kinds/inner")
    os.symlink("inner", "kinds/link")
    os.mkfifo("kinds/fifo")
    socket.socket(socket.AF_UNIX).bind("kinds/socket")
    open("kinds/inner/file", "w").close()
    os.rename("kinds/inner/file", "kinds/file")
    os.link("kinds/file", "kinds/hard")
    os.truncate("kinds/file", 10)
    os.chmod("kinds/file", 0o640)
    os.utime("kinds/file", (1, 1))
    shutil.rmtree("kinds")
    return True
    """,
)
check(
    "libraries of the system",
    True,
    "import ctypes\nreturn ctypes.CDLL(None).getpid() > 0",
)
check("languages", True, "import locale\nlocale.setlocale(locale.LC_ALL, '')\nreturn True")
check(
    "the name of the machine",
    True,
    "import platform, socket\nreturn bool(platform.platform() and socket.gethostname())",
)
check("its user's packages", "from the user site", "import of_the_user\nreturn of_the_user.NAME")


@pytest.fixture(scope="module", params=["root", "user"])
def ground(request: pytest.FixtureRequest) -> Iterator[Playground]:
    with playground(account(request.param)) as made:
        yield made


def user_site(ground: Playground) -> Path:
    """Where its interpreter looks for the user's own packages."""
    version = ".".join(map(str, sys.version_info[:2]))
    return ground.home / ".local" / "lib" / f"python{version}" / "site-packages"


@pytest.fixture(scope="module", params=["spawn", "zygote"])
def found(ground: Playground, request: pytest.FixtureRequest) -> dict[str, Any]:
    site = user_site(ground)
    ground.put(site / "of_the_user.py", "NAME = 'from the user site'\n")
    text = "import json, os, sys, traceback\ndef square(n):\n    return n * n\nresults = {}\n"
    for number, (name, (body, _)) in enumerate(CHECKS.items()):
        lines = body.strip("\n").splitlines()
        margin = len(lines[0]) - len(lines[0].lstrip())
        indented = "\n".join("    " + line[margin:] for line in lines)
        text += f"def check_{number}():\n{indented}\n"
        text += (
            f"if __name__ == '__main__':\n    try:\n        results[{name!r}] = check_{number}()\n"
        )
        text += f"    except BaseException:\n        results[{name!r}] = traceback.format_exc()\n"
    text += "if __name__ == '__main__':\n    print(json.dumps(results))\n"
    run = ground.run if request.param == "spawn" else ground.run_by_zygote
    result = run(text, "--isolation", "require")
    assert result["success"], result
    for made in ("repository", "tool", "data.db"):
        path = ground.project / made
        shutil.rmtree(path) if path.is_dir() else path.unlink(missing_ok=True)
    outputs: dict[str, Any] = result["outputs"]["s"]
    return outputs


@pytest.mark.parametrize("name", CHECKS)
def test_works(name: str, found: dict[str, Any]) -> None:
    assert found[name] == CHECKS[name][1], found[name]


def test_numpy_works(ground: Playground) -> None:
    numpy = pytest.importorskip("numpy", reason="numpy is not installed")
    # For an interpreter that has it not by itself: the user's site points to ours.
    ground.put(user_site(ground) / "ours.pth", f"{Path(numpy.__file__).parent.parent}\n")
    text = (
        "import json, numpy as n\nprint(json.dumps({'sum': int((n.eye(50) @ n.ones(50)).sum())}))"
    )
    assert ground.outputs(text) == {"sum": 50}


@pytest.fixture(scope="module")
def environment(ground: Playground) -> Path:
    """A virtual environment in the project, with a module in it; its interpreter."""
    subprocess.run(
        [ground.account.python, "-m", "venv", "--without-pip", ".venv"],
        cwd=ground.project,
        env=ground.environment(),
        check=True,
        **ground.account.popen(),
    )
    (site,) = (ground.project / ".venv" / "lib").glob("python*/site-packages")
    ground.put(site / "of_the_project.py", "NAME = 'from the environment'\n")
    return ground.project / ".venv" / "bin" / "python"


def test_environment_of_the_project_works_when_chosen(
    ground: Playground, environment: Path
) -> None:
    text = """
    import json, of_the_project, subprocess, sys
    child = [sys.executable, "-c", "import of_the_project, sys; print(sys.prefix)"]
    inner = subprocess.run(child, capture_output=True, text=True, check=True).stdout.strip()
    print(json.dumps({"name": of_the_project.NAME, "prefixes": [sys.prefix, inner]}))
    """
    found = ground.outputs(text, python=str(environment))
    prefix = str(environment.parent.parent)
    assert found == {"name": "from the environment", "prefixes": [prefix, prefix]}


def test_script_cannot_change_the_interpreter_it_runs_on(
    ground: Playground, environment: Path
) -> None:
    """It would run free of all this the next time."""
    text = """
    import json, os, sys
    refused = []
    for change in (
        lambda: open(sys.prefix + "/pyvenv.cfg", "a"),
        lambda: open(sys.prefix + "/lib/evil.pth", "x"),
        lambda: os.unlink(sys.executable),
        lambda: os.rename(sys.prefix, "moved"),
        lambda: os.chmod(sys.prefix + "/pyvenv.cfg", 0o600),
    ):
        try:
            change()
        except OSError as error:
            refused.append(error.errno)
    print(json.dumps({"refused": len(refused)}))
    """
    assert ground.outputs(text, python=str(environment)) == {"refused": 5}
    assert environment.exists()


def test_files_of_the_projects_environment_open_nothing(
    ground: Playground, environment: Path
) -> None:
    (site,) = (ground.project / ".venv" / "lib").glob("python*/site-packages")
    widening = ground.put(site / "wide.pth", f"{ground.outside}\n{ground.home}/.ssh\n")
    try:
        result = ground.run("open('../outside/secret.txt')", python=str(environment))
        assert result["error_type"] == "PermissionError"
        result = ground.run("import os; os.listdir(os.path.expanduser('~/.ssh'))")
        assert result["error_type"] == "PermissionError"
    finally:
        widening.unlink()


def test_packages_that_a_users_environment_points_to_can_be_imported(ground: Playground) -> None:
    """A package installed in place (`pip install -e`), by a path file of the interpreter's."""
    site = user_site(ground)
    ground.put(ground.base / "checkout" / "in_place.py", "NAME = 'in place'\n")
    ground.put(site / "in_place.pth", f"{ground.base / 'checkout'}\n")
    text = "import in_place, json\nprint(json.dumps({'name': in_place.NAME}))"
    assert ground.outputs(text) == {"name": "in place"}


def test_project_below_a_link_and_one_with_odd_names_work(ground: Playground) -> None:
    odd = ground.base / 'ä project\'s "name" '
    ground.put(odd / "script.py", "open('out', 'w').write('x')\nprint('{}')\n")
    steps = [{"id": "s", "type": "python", "script": "script.py"}]
    ground.put(odd / "w.yaml", json.dumps({"workflow": {"name": "W"}, "steps": steps}))
    link = ground.base / "link"
    link.symlink_to(odd)
    ground.own(link)
    for project in (odd, link):
        flags = ("--project", str(project), "--python", ground.account.python, "--json")
        done = ground.sidecar("run", str(project / "w.yaml"), *flags, "--isolation", "require")
        assert done.returncode == 0, done.stderr + done.stdout


def test_project_that_cannot_be_written_runs(ground: Playground) -> None:
    if os.geteuid() == 0 and ground.account.uid is None:
        pytest.skip("no folder is read-only for root")
    fixed = ground.base / "fixed"
    ground.put(
        fixed / "script.py",
        "import os; open(os.environ['XDG_CACHE_HOME'] + '/x', 'w')\nprint('{}')",
    )
    steps = [{"id": "s", "type": "python", "script": "script.py"}]
    ground.put(fixed / "w.yaml", json.dumps({"workflow": {"name": "W"}, "steps": steps}))
    fixed.chmod(0o555)
    history = str(ground.base / "history.db")
    flags = ("--project", str(fixed), "--python", ground.account.python, "--history", history)
    done = ground.sidecar("run", str(fixed / "w.yaml"), *flags, "--isolation", "require")
    assert done.returncode == 0, done.stderr + done.stdout
