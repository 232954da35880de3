"""What a script cannot do, tried as root and as an unprivileged user, and how it is told.

Each attempt is one that permission bits allow; the sidecar alone is in the way. The scripts try
everything in one run and say what came of each.
"""

import json
import os
import re
import sqlite3
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from tests.integration.confined import Playground, account, playground

pytestmark = pytest.mark.skipif(
    not Path("/sys/kernel/security").exists() and not Path("/proc/self/ns/mnt").exists(),
    reason="containment is the Linux kernel's",
)

#: What the attempts have to work with.
PRELUDE = """\
import ctypes, errno, json, os, shutil, signal, socket, subprocess, sys, tempfile
given = json.load(sys.stdin)
outside, home, project = OUTSIDE, HOME, os.getcwd()
parent = os.getppid()
def the_daemon(pid):
    # Above supervisor and zygote: the process that cannot be looked at, or that is the program.
    try:
        with open("/proc/%d/cmdline" % pid) as stream:
            if "\\0sidecar\\0" in stream.read():
                return pid
        with open("/proc/%d/status" % pid) as stream:
            return the_daemon(int(stream.read().split("PPid:")[1].split()[0]))
    except OSError:
        return pid
daemon = the_daemon(parent)
for left in ("link", "hard", "out", "o", "in", "i", "folder", "elsewhere", "device"):
    if os.path.lexists(left):  # by the run before
        os.unlink(left)
libc = ctypes.CDLL(None, use_errno=True)
results = {}
def attempt(name, harmful=False):
    def run(function):
        if harmful and not contained:
            results[name] = "not tried: nothing would have kept it from the machine"
            return
        try:
            results[name] = "done: %r" % (function(),)
        except OSError as error:
            results[name] = "%s %s" % (type(error).__name__, errno.errorcode[error.errno])
        except Exception as error:
            results[name] = repr(error)
    return run
def read(path):
    with open(path, "rb") as stream:
        return stream.read(20)
def write(path, mode="ab"):
    with open(path, mode) as stream:
        stream.write(b"x")
def called(result):
    if result < 0:
        raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))
    return result
def refuses(function):
    try:
        function()
    except OSError:
        return True
    return False
# Without a protection these tests must fail, and the machine must not.
contained = refuses(lambda: os.kill(daemon, 0)) and refuses(lambda: os.listdir(home))
def command(*words):
    done = subprocess.run(words, capture_output=True, text=True)
    if done.returncode:
        raise OSError(errno.EACCES, done.stderr)
    return done.stdout
"""


@dataclass(frozen=True)
class Attempt:
    """What a script tries. It fails to be refused unless it ends in an error of the system."""

    text: str
    permission: bool
    """Whether the error must be a PermissionError."""
    harmful: bool
    """Whether it would change the machine, if it succeeded."""


ATTEMPTS: dict[str, Attempt] = {}


def attempt(name: str, text: str, *, permission: bool = True, harmful: bool = False) -> None:
    ATTEMPTS[name] = Attempt(text, permission, harmful)


# --- reading what is not the project's
attempt("read a key in ~/.ssh", 'read(home + "/.ssh/id_ed25519")')
attempt("list ~", "os.listdir(home)")
attempt("list ~/.ssh", 'os.listdir(home + "/.ssh")')
attempt("read /etc/shadow", 'read("/etc/shadow")')
attempt("read outside", 'read(outside + "/secret.txt")')
attempt("read outside by ..", 'read("../outside/secret.txt")')
attempt("read outside from its folder", '(os.chdir(outside), read("secret.txt"))')
attempt("read outside by link", '(os.symlink(outside, "link"), read("link/secret.txt"))')
attempt(
    "read outside by hard link",
    '(os.link(outside + "/secret.txt", "hard"), read("hard"))',
    permission=False,
)
attempt("read outside by /proc/self/root", 'read("/proc/self/root" + outside + "/secret.txt")')
attempt("read outside by another process", 'read("/proc/%d/root" % parent + outside)')
attempt("read outside by a descriptor", 'os.read(os.open(outside + "/secret.txt", os.O_RDONLY), 9)')
attempt("read outside with cat", 'command("cat", outside + "/secret.txt")')
attempt(
    "read outside with another python",
    'command(sys.executable, "-c", "open(%r)" % (outside + "/secret.txt"))',
)
attempt("list /tmp", 'os.listdir("/tmp")')
attempt("other attempts' temporary folders", "os.listdir(os.path.dirname(tempfile.gettempdir()))")

# --- writing
attempt("write /tmp", 'write("/tmp/%d" % os.getpid())', harmful=True)
attempt("write /var/tmp", 'write("/var/tmp/%d" % os.getpid())', harmful=True)
attempt("append to ~/.bashrc", 'write(home + "/.bashrc")')
attempt("make a file in ~", 'write(home + "/new", "xb")')
attempt("make a folder in ~", 'os.mkdir(home + "/new")')
attempt("write outside by link", '(os.symlink(outside, "out"), write("out/secret.txt"))')
attempt("make outside by link", '(os.symlink(outside + "/n", "o"), write("o"))')
attempt("hard link to outside", '(write("in"), os.link("in", outside + "/in"))', permission=False)
attempt("move outside", '(write("i"), os.rename("i", outside + "/i"))', permission=False)
attempt("move from outside", 'os.rename(outside + "/folder", "folder")', permission=False)
attempt("remove outside", 'os.unlink(outside + "/secret.txt")')
attempt("remove a folder outside", 'shutil.rmtree(outside + "/folder")')
attempt("truncate outside", 'os.truncate(outside + "/secret.txt", 0)')
attempt("write with sh", 'command("sh", "-c", "echo x > %s/secret.txt" % outside)')
attempt("a socket outside", 'socket.socket(socket.AF_UNIX).bind(outside + "/s")')
attempt("a device", 'os.mknod("device", 0o020666, os.makedev(1, 1))', harmful=True)
attempt(
    "settings of the kernel", 'write("/proc/sys/kernel/hostname")', permission=False, harmful=True
)
attempt("a control group", 'os.mkdir("/sys/fs/cgroup/of-a-script")', permission=False, harmful=True)

# --- the daemon's
for file in ("environ", "mem", "maps", "auxv", "fd/0", "root/etc/passwd"):
    for process in ("daemon", "parent"):
        attempt(
            f"read the {process}'s {file}",
            f'read("/proc/%d/{file}" % {process})',
            permission=process == "parent",
        )
for file in ("cmdline", "status"):
    attempt(f"read the daemon's {file}", f'read("/proc/%d/{file}" % daemon)', permission=False)
attempt("list the daemon's descriptors", 'os.listdir("/proc/%d/fd" % daemon)', permission=False)
attempt("write to its stdout", 'write("/proc/%d/fd/1" % daemon)', permission=False, harmful=True)
attempt("write to the parent's stdout", 'write("/proc/%d/fd/1" % parent)', harmful=True)
attempt("trace the daemon", "called(libc.ptrace(16, daemon, 0, 0))")
attempt("trace the parent", "called(libc.ptrace(16, parent, 0, 0))")
attempt("signal the parent", "os.kill(parent, 0)")
attempt("signal the daemon", "os.kill(daemon, 0)")
attempt("signal the daemon's group", "os.killpg(os.getpgid(daemon), 0)")
attempt("signal init", "os.kill(1, 0)")
attempt("join the daemon's session", "os.setpgid(0, os.getpgid(daemon))", harmful=True)
attempt("an abstract socket", 'socket.socket(socket.AF_UNIX).connect("\\0" + given["socket"])')

# --- the history
FOLDER = 'project + "/.workflow-sidecar'
for file in ("history.db", "history.db-wal", "sidecar.log"):
    attempt(f"read {file}", f'read({FOLDER}/{file}")', permission=False)
attempt("replace the history", f'write({FOLDER}/history.db", "wb")', permission=False)
attempt("make a file beside it", f'write({FOLDER}/new", "xb")', permission=False)
attempt("remove its folder", f'shutil.rmtree({FOLDER}")', permission=False)
attempt("move its folder", f'os.rename({FOLDER}", "elsewhere")', permission=False)
attempt("change its folder's mode", f'os.chmod({FOLDER}", 0o777)', permission=False)
attempt(
    "read it by the parent's view",
    f'read("/proc/%d/root" % parent + {FOLDER}/history.db")',
    permission=False,
)
attempt(
    "read it by the parent's folder",
    'read("/proc/%d/cwd/.workflow-sidecar/history.db" % parent)',
)
attempt(
    "uncover it", f'called(libc.umount2(os.fsencode({FOLDER}"), 2))', permission=False, harmful=True
)
attempt(
    "uncover it in a namespace of one's own",
    f'command("unshare", "-rm", "sh", "-c", "umount -l " + {FOLDER}; cat " + {FOLDER}/history.db")',
)
attempt(
    "join the parent's view",
    'called(libc.setns(os.open("/proc/%d/ns/mnt" % parent, os.O_RDONLY), 0))',
)

# --- mounting, and what only root could do without us
attempt("mount", 'called(libc.mount(b"/etc", b".", None, 4096, None))', harmful=True)
attempt("mount a file system", 'called(libc.mount(b"none", b".", b"tmpfs", 0, None))', harmful=True)
attempt("another root", '(os.chroot(outside), read("/secret.txt"))')
attempt("the machine's memory", 'read("/dev/mem")', permission=False)
attempt("the kernel's memory", 'read("/proc/kcore")', permission=False)
attempt("the disk", 'read("/dev/%s" % os.listdir("/sys/class/block")[0])', permission=False)
attempt("the clock", "called(libc.settimeofday(b'\\0' * 16, None))", harmful=True)
attempt("the name of the machine", 'called(libc.sethostname(b"x", 1))', harmful=True)
attempt("a terminal", 'os.open("/dev/tty", os.O_RDWR)', permission=False)


@pytest.fixture(scope="module", params=["root", "user"])
def ground(request: pytest.FixtureRequest) -> Iterator[Playground]:
    with playground(account(request.param)) as made:
        yield made


@pytest.fixture(scope="module", params=["spawn", "zygote"])
def refused(ground: Playground, request: pytest.FixtureRequest) -> dict[str, str]:
    """What came of each attempt, after making sure that the history is there to be reached."""
    import socket

    ground.run("print('{}')")
    ground.put(ground.project / ".workflow-sidecar" / "sidecar.log", "{}")
    script = PRELUDE
    for name, tried in ATTEMPTS.items():
        script += f"attempt({name!r}, {tried.harmful})(lambda: {tried.text})\nos.chdir(project)\n"
    script += "print(json.dumps(results))\n"
    before = ground.state_of_outside()
    with socket.socket(socket.AF_UNIX) as listening:
        name = f"test-{os.getpid()}"
        listening.bind("\0" + name)
        listening.listen()
        # No inputs: paths that lead out of the project would be refused before it runs.
        places = f"OUTSIDE, HOME = {str(ground.outside)!r}, {str(ground.home)!r}\n"
        run = ground.run if request.param == "spawn" else ground.run_by_zygote
        result = run(places + script, inputs={"socket": name})
    assert result["success"], result["error"]
    results: dict[str, str] = result["outputs"]["s"]
    assert ground.state_of_outside() == before, "something outside the project has changed"
    return results


@pytest.mark.parametrize("name", ATTEMPTS)
def test_script_is_refused(name: str, refused: dict[str, str]) -> None:
    expected = r"PermissionError \w+" if ATTEMPTS[name].permission else r"\w+Error E\w+"
    assert re.fullmatch(expected, refused[name]), refused[name]


def test_history_is_whole_after_all_that(ground: Playground, refused: dict[str, str]) -> None:
    with sqlite3.connect(ground.project / ".workflow-sidecar" / "history.db") as history:
        assert history.execute("PRAGMA integrity_check").fetchone() == ("ok",)
    history.close()
    shown = ground.sidecar("history", "--json")
    assert {run["status"] for run in json.loads(shown.stdout)} == {"success"}


def test_a_signal_to_everybody_reaches_nobody_else(ground: Playground) -> None:
    """The daemon goes on: it records how this ended."""
    text = """
    import os, signal
    try:
        os.kill(os.getppid(), 0)
    except PermissionError:
        os.kill(-1, signal.SIGKILL)  # reaches all of the attempt's own but this process
        os.killpg(0, signal.SIGKILL)
    """
    result = ground.run(text)
    assert result["error_type"] == "ScriptKilled", result


# --- how it is told, and what opens it


def test_denied_access_is_the_scripts_own_error_and_names_the_permission(
    ground: Playground,
) -> None:
    secret = ground.outside / "secret.txt"
    result = ground.run(f"open({str(secret)!r})")
    assert result["error_type"] == "PermissionError"
    error = result["error"]
    assert error.startswith(f"[Errno 13] Permission denied: '{secret}'")
    assert f'permissions: {{read: ["{secret}"]}} or {{write: ["{secret}"]}}' in error
    assert f'--allow-read "{secret}"' in error


def test_hint_for_a_file_to_be_made_names_its_folder(ground: Playground) -> None:
    result = ground.run(f"open({str(ground.outside / 'new')!r}, 'w')")
    assert f'permissions: {{write: ["{ground.outside}"]}} on the step' in result["error"]
    assert f'--allow-write "{ground.outside}"' in result["error"]


def test_hint_is_there_for_an_error_that_hides_the_first(ground: Playground) -> None:
    text = f"""
    try:
        open({str(ground.outside / "secret.txt")!r})
    except OSError as error:
        raise RuntimeError("no settings") from error
    """
    result = ground.run(text)
    assert result["error"].startswith("no settings (isolation keeps scripts from it")


def test_no_hint_where_no_permission_would_help(ground: Playground) -> None:
    ground.put(ground.project / "locked", "x").chmod(0)
    error = ground.run("raise PermissionError(13, 'Permission denied', 'locked')")["error"]
    assert "isolation" not in error


def test_permitted_folder_can_be_read_and_not_written(ground: Playground) -> None:
    text = """
    import json, os
    found = {"text": open("../outside/secret.txt").read(), "names": os.listdir("../outside")}
    try:
        open("../outside/secret.txt", "a")
    except PermissionError:
        found["written"] = False
    print(json.dumps(found))
    """
    for path in ("../outside", str(ground.outside)):
        flags = ("--allow-read", str(ground.outside))
        found = ground.outputs(text, *flags, permissions={"read": [path]})
        assert found["text"] == "the secret of the outside"
        assert sorted(found["names"]) == ["folder", "secret.txt"]
        assert found["written"] is False


def test_permitted_folder_can_be_written(ground: Playground) -> None:
    text = """
    import os
    os.mkdir("../outside/folder/made")
    open("../outside/folder/made/file", "w").write("1")
    os.chmod("../outside/folder/made/file", 0o640)
    os.unlink("../outside/folder/made/file")
    os.rmdir("../outside/folder/made")
    print("{}")
    """
    # Agreed to as a whole, asked for in part.
    flags = ("--allow-write", str(ground.outside))
    ground.outputs(text, *flags, permissions={"write": ["../outside/folder"]})


def test_permission_opens_nothing_but_what_was_asked_for(ground: Playground) -> None:
    flags = ("--allow-write", str(ground.base))
    result = ground.run(
        "open('../outside/secret.txt')", *flags, permissions={"write": ["../outside/folder"]}
    )
    assert result["error_type"] == "PermissionError"


@pytest.mark.parametrize(
    ("permissions", "flags", "words"),
    [
        ({"read": ["../outside"]}, (), 'permissions.read: "../outside" is outside the project'),
        ({"write": ["../outside"]}, (), "start with --allow-write DIR"),
        ({"write": ["../outside"]}, ("--allow-read", "../outside"), "start with --allow-write DIR"),
        ({"read": ["../outside-too"]}, ("--allow-read", "../outside"), "outside the project"),
        ({"read": ["/etc/shadow"]}, ("--allow-read", "../outside"), "outside the project"),
        ({"read": [".workflow-sidecar"]}, (), "where the sidecar keeps its files"),
        ({"read": ["a\0b"]}, (), "permissions.read"),
        ({"network": True}, ("--no-network",), "started with --no-network"),
        ({"execute": ["/bin"]}, (), 'unknown key "execute"'),
    ],
)
def test_host_must_have_agreed(
    ground: Playground, permissions: dict[str, Any], flags: tuple[str, ...], words: str
) -> None:
    step = {"id": "s", "type": "python", "script": ground.script("print('{}')")}
    workflow = {"workflow": {"name": "W"}, "steps": [{**step, "permissions": permissions}]}
    ground.put(ground.project / "asks.yaml", json.dumps(workflow))
    done = ground.sidecar("run", "asks.yaml", *flags)
    assert done.returncode == 2
    assert words in done.stderr


def test_link_that_moves_out_after_the_check_opens_nothing(ground: Playground) -> None:
    """What is agreed to is the place that a path leads to when the step runs."""
    (ground.project / "data").symlink_to(ground.outside / "folder")
    try:
        text = f"""
        import os
        os.unlink("data")
        os.symlink({str(ground.home)!r}, "data")
        print("{{}}")
        """
        permissions = {"read": ["data"]}
        steps = [
            {"id": "swap", "type": "python", "script": ground.script(text, "swap.py")},
            {
                "id": "read",
                "type": "python",
                "script": ground.script("import os; print(os.listdir('data'))", "look.py"),
                "permissions": permissions,
                "depends_on": ["swap"],
            },
        ]
        workflow = {"workflow": {"id": "w", "name": "W"}, "steps": steps}
        ground.put(ground.project / "w.yaml", json.dumps(workflow))
        flags = ("--allow-read", str(ground.outside), "--python", ground.account.python)
        result = json.loads(ground.sidecar("run", "w.yaml", "--json", *flags).stdout)
    finally:
        (ground.project / "data").unlink()
    assert result["steps"]["swap"]["success"]
    assert result["error_type"] == "PermissionRefused"


def test_folder_to_be_written_must_be_there(ground: Playground) -> None:
    flags = ("--allow-write", str(ground.outside))
    result = ground.run("print('{}')", *flags, permissions={"write": ["../outside/none"]})
    assert result["error_type"] == "PermissionRefused"
    assert '"../outside/none" does not exist' in result["error"]


NETWORK = """
import json, socket
found = {}
for name, family, kind in (
    ("tcp", socket.AF_INET, socket.SOCK_STREAM), ("udp", socket.AF_INET, socket.SOCK_DGRAM),
    ("tcp6", socket.AF_INET6, socket.SOCK_STREAM), ("vsock", socket.AF_VSOCK, socket.SOCK_STREAM),
    ("netlink", socket.AF_NETLINK, socket.SOCK_RAW), ("unix", socket.AF_UNIX, socket.SOCK_STREAM),
):
    try:
        socket.socket(family, kind).close()
        found[name] = True
    except PermissionError:
        found[name] = False
print(json.dumps(found))
"""
CLOSED = dict.fromkeys(("tcp", "udp", "tcp6", "vsock", "netlink"), False) | {"unix": True}


def test_network_is_open_unless_somebody_says_no(ground: Playground) -> None:
    assert ground.outputs(NETWORK)["tcp"]
    assert ground.outputs(NETWORK, permissions={"network": True})["udp"]


def test_network_is_closed_by_the_step_or_by_the_host(ground: Playground) -> None:
    assert ground.outputs(NETWORK, permissions={"network": False}) == CLOSED
    assert ground.outputs(NETWORK, "--no-network") == CLOSED


def test_closed_network_is_named_in_the_error(ground: Playground) -> None:
    connect = "import socket\nsocket.create_connection(('127.0.0.1', 9))"
    result = ground.run(connect, permissions={"network": False})
    assert result["error_type"] == "PermissionError"
    assert "permissions: {network: true} opens it" in result["error"]
    assert "started with --no-network" in ground.run(connect, "--no-network")["error"]


# --- the script's surroundings


def test_what_a_script_finds_is_exact(ground: Playground) -> None:
    text = """
    import json, os, resource, stat, tempfile
    open("made", "w").close()
    os.mkdir("made-folder")
    found = {
        "environ": dict(os.environ),
        "modes": [oct(stat.S_IMODE(os.stat(n).st_mode)) for n in ("made", "made-folder")],
        "session": os.getsid(0) == os.getpid() == os.getpgid(0),
        "descriptors": sorted(map(int, os.listdir("/proc/self/fd")))[:-1],
        "limits": {n: resource.getrlimit(getattr(resource, "RLIMIT_" + n))
                   for n in ("CORE", "FSIZE", "NOFILE", "AS")},
        "temporary": tempfile.gettempdir(),
        "umask": os.umask(0),
    }
    os.unlink("made")
    os.rmdir("made-folder")
    print(json.dumps(found))
    """
    secrets = {
        "AWS_SECRET_ACCESS_KEY": "x",
        "TOKEN": "x",
        "PYTHONPATH_": "x",
        "TERM": "xterm",
        "VIRTUAL_ENV": "/v",
        "TMPDIR": "/var/tmp",
        "XDG_CACHE_HOME": "/c",
        "DISPLAY": ":0",
        "LC_ALL": "C.UTF-8",
        "XDG_CONFIG_HOME": "/conf",
        "SSL_CERT_DIR": "/etc/ssl/certs",
    }
    found = ground.outputs(text, env=secrets)
    passed = {
        name: value
        for name, value in ground.environment().items()
        if name in ("PATH", "LANG", "TZ", "HOME")
    }
    temporary = found["temporary"]
    assert found["environ"] == {
        **passed,
        **{name: secrets[name] for name in ("LC_ALL", "XDG_CONFIG_HOME", "SSL_CERT_DIR")},
        **dict.fromkeys(("TMPDIR", "TEMP", "TMP"), temporary),
        "XDG_CACHE_HOME": str(ground.project / ".workflow-sidecar" / "cache"),
        "GIT_CONFIG_GLOBAL": "/dev/null",
    }
    assert found["modes"] == ["0o600", "0o700"]
    assert found["umask"] == 0o077
    assert found["session"]
    assert found["descriptors"] == [0, 1, 2]
    assert found["limits"]["CORE"] == [0, 0]
    assert found["limits"]["FSIZE"][1] == 8 * 2**30
    assert found["limits"]["NOFILE"][1] <= 4096
    assert found["limits"]["AS"][1] == 16 * 2**30
    assert not Path(temporary).exists()
    assert not Path(temporary).parent.exists()


def test_limits_are_kept_and_can_be_set(ground: Playground) -> None:
    text = """
    import json
    found = []
    try:
        files = [open("/dev/null") for _ in range(100)]
    except OSError as error:
        found.append(error.errno)
    files = None
    try:
        bytearray(2**30)
    except MemoryError:
        found.append("memory")
    try:
        with open("big", "wb") as stream:
            stream.write(bytes(2**20 + 1))
            stream.flush()
    except OSError as error:
        found.append(error.errno)
    print(json.dumps({"found": found}))
    """
    limits = ("open_files=64", "address_space_bytes=512MiB", "file_bytes=1MiB")
    flags = [word for limit in limits for word in ("--script-limit", limit)]
    assert ground.outputs(text, *flags)["found"] == [24, "memory", 27]


def test_cache_lasts_and_the_temporary_folder_does_not(ground: Playground) -> None:
    text = """
    import json, os, pathlib
    cache = pathlib.Path(os.environ["XDG_CACHE_HOME"], "count")
    count = int(cache.read_text()) + 1 if cache.exists() else 1
    cache.write_text(str(count))
    temporary = pathlib.Path(os.environ["TMPDIR"])
    left = [path.name for path in temporary.iterdir()]
    deep = temporary / "deep"
    for _ in range(60):
        deep.mkdir()
        deep = deep / "x" * 60
    (temporary / "link").symlink_to(os.environ["HOME"])
    (temporary / "closed").mkdir()
    (temporary / "closed" / "file").touch()
    (temporary / "closed").chmod(0)
    print(json.dumps({"count": count, "left": left, "temporary": str(temporary)}))
    """.replace('"x" * 60', '("x" * 60)')
    before = ground.state_of_outside()
    first, second = ground.outputs(text), ground.outputs(text)
    assert second["count"] == first["count"] + 1
    assert first["left"] == second["left"] == []
    assert not Path(first["temporary"]).exists()
    assert not Path(second["temporary"]).exists()
    assert ground.state_of_outside() == before


def test_shared_memory_that_is_left_is_gone(ground: Playground) -> None:
    name = f"/dev/shm/{ground.base.name}"
    text = f"""
    import json, os
    found = os.listdir("/dev/shm")
    open({name!r}, "wb").write(bytes(1000))
    print(json.dumps({{"found": found}}))
    """
    assert ground.outputs(text) == ground.outputs(text) == {"found": []}
    assert not Path(name).exists()


def test_mounts_of_the_machine_stay_as_they_are(ground: Playground) -> None:
    before = Path("/proc/self/mountinfo").read_text()
    ground.outputs("print('{}')")
    assert Path("/proc/self/mountinfo").read_text() == before
