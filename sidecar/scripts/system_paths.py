"""What of the machine every script may read: programs, libraries, and settings that are no secret.

Tables and which of their entries exist here; what is done with them, and in which words the kernel
is told, is known elsewhere. Of `/etc` only what ordinary programs open is named, file by file, for
as root all of it would be readable: `shadow`, the keys in `ssh` and `ssl/private`, `sudoers`.
"""

import os
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Final


def _paths(text: str) -> tuple[str, ...]:
    return tuple(text.split())


#: Programs and libraries, to be read and executed: the system's, and what is installed beside it.
_PROGRAMS: Final = _paths(
    """
    /usr /bin /sbin /lib /lib32 /lib64 /libx32 /opt /snap /nix/store /gnu/store
    /run/current-system /home/linuxbrew/.linuxbrew
    """
)
#: Names, time, the network's certificates and how to reach it, the loader, fonts, kinds of files.
_SETTINGS: Final = _paths(
    """
    /etc/hosts /etc/hostname /etc/resolv.conf /etc/nsswitch.conf /etc/host.conf /etc/gai.conf
    /etc/services /etc/protocols /etc/networks /etc/rpc /etc/ethertypes
    /etc/passwd /etc/group /etc/shells /etc/localtime /etc/timezone
    /etc/ssl/certs /etc/ssl/cert.pem /etc/ssl/openssl.cnf /etc/ssl/ca-bundle.pem
    /etc/pki/tls/certs /etc/pki/tls/cert.pem /etc/pki/tls/openssl.cnf /etc/pki/tls/openssl.d
    /etc/pki/ca-trust/extracted /etc/ca-certificates /etc/crypto-policies /etc/static
    /var/lib/ca-certificates
    /etc/ld.so.cache /etc/ld.so.conf /etc/ld.so.conf.d /etc/ld.so.preload /etc/alternatives
    /etc/locale.alias /etc/locale.conf /etc/fonts /etc/mime.types /etc/magic /etc/magic.mime
    /etc/os-release /etc/lsb-release /etc/debian_version /etc/redhat-release /etc/alpine-release
    /etc/gitconfig /etc/perl /etc/terminfo /etc/xml /etc/sgml /etc/OpenCL
    """
)
#: Python's own settings carry its version in their names; Java's too.
_SETTINGS_PATTERNS: Final = ("python3*", "java-*")
#: Processes (which of them a process may look into is for the kernel to say), the number of
#: processors, the memory of each, the share that a container has of them.
_KERNEL: Final = _paths(
    """
    /proc /sys/devices/system/cpu /sys/devices/system/node /sys/fs/cgroup
    /sys/kernel/mm/transparent_hugepage
    """
)
_DEVICES: Final = _paths("/dev/null /dev/zero /dev/full /dev/random /dev/urandom")
_SHARED_MEMORY: Final = "/dev/shm"  # noqa: S108 - a device of the system, not a temporary file
#: Files and folders that the host's own environment points scripts to.
_NAMED_BY: Final = ("SSL_CERT_FILE", "SSL_CERT_DIR")
#: A version manager's folder of shims is of no use without what it lies in.
_SHIMS: Final = "shims"

#: Too much, whatever names it: the root, what holds every user's files, what others rely on.
CLOSED: Final = _paths(
    "/ /home /root /etc /var /tmp /run /proc /sys /dev /boot /mnt /media /srv /Users /var/tmp"
)

Rule = tuple[str, str]


def system_rules(environ: Mapping[str, str] = os.environ) -> list[Rule]:
    """What exists of the tables: (real path, letter); the letters are those of `child/confine`."""
    rules = [
        *_existing(_PROGRAMS, "x"),
        *_existing(_SETTINGS, "r"),
        *_existing(_KERNEL, "r"),
        *_existing(_DEVICES, "d"),
        *_existing((_SHARED_MEMORY,), "s"),
    ]
    for pattern in _SETTINGS_PATTERNS:
        rules += _existing((str(path) for path in Path("/etc").glob(pattern)), "r")
    rules += _existing((environ[name] for name in _NAMED_BY if environ.get(name)), "r")
    return without_needless(rules)


def command_rules(search_path: str, closed: tuple[str, ...]) -> list[Rule]:
    """Where the commands of a PATH lie, so that scripts can run them; not what would open `closed`.

    A relative entry opens nothing, nor does one that is or holds one of `closed`.
    """
    folders = []
    for entry in dict.fromkeys(search_path.split(os.pathsep)):
        if Path(entry).is_absolute():
            folder = Path(entry).parent if Path(entry).name == _SHIMS else Path(entry)
            folders.append(str(folder))
    return [rule for rule in _existing(folders, "x") if not opens_any(rule[0], closed)]


def opens_any(folder: str, closed: tuple[str, ...]) -> bool:
    """Whether `folder` is one of `closed` or holds one."""
    return any(is_within(path, folder) for path in (*closed, *CLOSED))


def is_within(path: str, folder: str) -> bool:
    """Whether a real path is, or lies in, a folder given by its real path."""
    return path == folder or path.startswith(folder.rstrip(os.sep) + os.sep)


def _existing(paths: Iterator[str] | tuple[str, ...] | list[str], letter: str) -> list[Rule]:
    found = (os.path.realpath(path) for path in paths)
    return [
        (path, "f" if letter == "r" and not Path(path).is_dir() else letter)
        for path in found
        if os.path.lexists(path)
    ]


def without_needless(rules: Iterable[Rule]) -> list[Rule]:
    """The rules without those that another one of the same letter holds already."""
    kept: list[Rule] = []
    for path, letter in sorted(set(rules), key=lambda rule: len(rule[0])):
        if not any(letter == other and is_within(path, folder) for folder, other in kept):
            kept.append((path, letter))
    return kept
