# Tries what no script may do, and prints what came of it; run like a script, under its policy.
#
# It reads what isolation.py lays out for it, as JSON, and prints for each protection a list of what
# was possible and should not have been; an empty one is the proof.
#
# It runs on Linux alone.
import json
import os
import resource
import socket
import sys
import tempfile
from functools import partial


def tries(**attempts):
    """The names of those that succeeded; to be refused is to fail with an error of the system."""
    return [name for name, attempt in attempts.items() if _succeeds(attempt)]


def _succeeds(attempt):
    try:
        attempt()
    except OSError:
        return False
    return True


def read(path):
    with open(path, "rb") as stream:
        stream.read(1)


def write(path):
    with open(path, "ab"):
        pass


def connect(kind, address):
    with socket.socket(kind, socket.SOCK_STREAM) as peer:
        peer.connect(address)


def make(path):
    os.close(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL))
    os.unlink(path)


def filesystem(given):
    bait, temporary = given["bait"], given["temporary"]
    link, name = os.path.join(temporary, "link"), os.path.join(temporary, "name")
    os.symlink(bait, link)
    possible = tries(
        read_outside=lambda: read(bait),
        write_outside=lambda: write(bait),
        make_outside=lambda: make(given["beside"]),
        read_by_link=lambda: read(link),
        hard_link=lambda: os.link(bait, name),
        move_outside=lambda: os.rename(link, given["beside"]),
    )
    if given["home"]:
        possible += tries(list_home=lambda: os.listdir(given["home"]))
    return possible


def history(given):
    private = given["private"] + ([given["covered"]] if given["covered"] else [])
    possible = []
    for path in private:
        possible += tries(read=partial(read, path), write=partial(write, path))
    return possible


def daemon(given):
    files = "/proc/%d/" % given["daemon"]
    return tries(
        environment=lambda: read(files + "environ"),
        memory=lambda: os.close(os.open(files + "mem", os.O_RDONLY)),
        maps=lambda: read(files + "maps"),
        descriptors=lambda: os.readlink(files + "fd/0"),
        folder=lambda: os.readlink(files + "cwd"),
    )


def signals(given):
    return tries(
        daemon=lambda: os.kill(given["daemon"], 0), parent=lambda: os.kill(os.getppid(), 0)
    )


def abstract_sockets(given):
    return tries(connect=lambda: connect(socket.AF_UNIX, "\0" + given["socket"]))


def privileges(given):
    with open("/proc/self/status") as stream:
        status = {name: value.strip() for name, _, value in (x.partition(":") for x in stream)}
    possible = [] if status.get("NoNewPrivs") == "1" else ["gain_more"]
    sets = ("CapInh", "CapPrm", "CapEff", "CapAmb")
    return possible + [name for name in sets if int(status[name], 16) & ~given["capabilities"]]


def limits(given):
    possible = []
    for name, most in given["limits"].items():
        hard = resource.getrlimit(getattr(resource, "RLIMIT_" + name.upper()))[1]
        if hard == resource.RLIM_INFINITY or hard > most:
            possible.append(name)
    return possible


def temporary_folder(given):
    with tempfile.NamedTemporaryFile() as file:
        inside = os.path.dirname(file.name) == given["temporary"]
    return [] if inside and os.umask(0o077) == 0o077 else ["elsewhere"]


def network_filter(given):
    return tries(
        tcp=lambda: socket.socket(socket.AF_INET, socket.SOCK_STREAM).close(),
        udp=lambda: socket.socket(socket.AF_INET, socket.SOCK_DGRAM).close(),
        tcp6=lambda: socket.socket(socket.AF_INET6, socket.SOCK_STREAM).close(),
        netlink=lambda: socket.socket(socket.AF_NETLINK, socket.SOCK_RAW).close(),
    )


PROTECTIONS = (
    filesystem,
    history,
    daemon,
    signals,
    abstract_sockets,
    privileges,
    limits,
    temporary_folder,
    network_filter,
)

if __name__ == "__main__":
    given = json.load(sys.stdin)
    print(json.dumps({test.__name__: test(given) for test in PROTECTIONS}))
