# What a script's process may do with files, by Landlock (landlock(7)); with it go connections over
# TCP, signals and abstract sockets, as far as the kernel's version knows them. Run by confine.py.
import os
import sys

from calling import syscall, words

# The numbers are those of landlock(7), and of linux/landlock.h.
_EXECUTE, _WRITE_FILE, _READ_FILE, _READ_DIR, _REMOVE_DIR, _REMOVE_FILE = (
    1 << bit for bit in range(6)
)
_MAKE_CHAR, _MAKE_DIR, _MAKE_REG, _MAKE_SOCK, _MAKE_FIFO, _MAKE_BLOCK, _MAKE_SYM = (
    1 << bit for bit in range(6, 13)
)
_REFER, _TRUNCATE, _IOCTL_DEV = 1 << 13, 1 << 14, 1 << 15
_SINCE_ABI = ((1, (1 << 13) - 1), (2, _REFER), (3, _TRUNCATE), (5, _IOCTL_DEV))
_ON_FILES = _EXECUTE | _WRITE_FILE | _READ_FILE | _TRUNCATE | _IOCTL_DEV
_NET_BIND_AND_CONNECT_TCP, _NET_ABI = 3, 4
_SCOPE_ABSTRACT_SOCKETS_AND_SIGNALS, _SCOPE_ABI = 3, 6
_RULE_PATH_BENEATH = 1

_READ = _READ_FILE | _READ_DIR
#: Devices are made nowhere, and what is written is a regular file, a folder, a link, a FIFO.
_WRITE = (_READ | _EXECUTE | _WRITE_FILE | _TRUNCATE | _REFER | _REMOVE_DIR | _REMOVE_FILE) | (
    _MAKE_DIR | _MAKE_REG | _MAKE_SOCK | _MAKE_FIFO | _MAKE_SYM
)
#: What the letters of the policy's rules mean.
_ACCESS = {
    "r": _READ,
    "x": _READ | _EXECUTE,
    "w": _WRITE,
    "d": _READ_FILE | _WRITE_FILE | _TRUNCATE | _IOCTL_DEV,
    # POSIX semaphores and shared memory: files of one flat folder.
    "s": _READ | _WRITE_FILE | _TRUNCATE | _MAKE_REG | _REMOVE_FILE,
    "f": _READ_FILE,
}

#: Only the attempt's own view has what these are about.
_LATE = "s"

#: The same on every architecture (they came after the tables were made one).
_NR_OPENAT2, _NR_CREATE_RULESET, _NR_ADD_RULE, _NR_RESTRICT_SELF = 437, 444, 445, 446
_AT_FDCWD = -100
_RESOLVE_NO_SYMLINKS = 4


class Rules:
    """What is open to every attempt with a policy, and perhaps a ruleset made of it already."""

    def __init__(self, policy, interpreter):
        """`interpreter` is what `interpreter_paths` gives, if that is known."""
        self.policy = policy
        self.interpreter = interpreter
        self.ruleset = -1
        #: What lay at the paths of the ruleset.
        self.seen = []

    def make(self):
        """Make the ruleset. Raises OSError."""
        self.ruleset = self.made()
        self.seen = self.look()

    def restrict(self):
        """Put it in force with the attempt's own rules, for good. Raises OSError."""
        ruleset, policy = self.ruleset, self.policy
        if ruleset >= 0 and self.seen != self.look():
            os.close(ruleset)
            ruleset = -1
        if ruleset < 0:
            ruleset = self.made()
        try:
            handled = _handled(_abi())
            late = [rule for rule in policy["rules"] if rule[1] in _LATE]
            for path, letter in policy["own_rules"] + late:
                _allow(ruleset, path, _ACCESS[letter] & handled)
            syscall(_NR_RESTRICT_SELF, ruleset, 0)
        finally:
            os.close(ruleset)

    def made(self):
        """A ruleset with what is open to every attempt; the caller's to close. Raises OSError."""
        policy = self.policy
        if self.interpreter is None:
            self.interpreter = interpreter_paths(policy)
        abi = _abi()
        handled = _handled(abi)
        attributes = words(handled)
        if abi >= _NET_ABI:
            attributes += words(0 if policy["network"] else _NET_BIND_AND_CONNECT_TCP)
        if abi >= _SCOPE_ABI:
            attributes += words(_SCOPE_ABSTRACT_SOCKETS_AND_SIGNALS)
        ruleset = syscall(_NR_CREATE_RULESET, attributes, len(attributes), 0)
        try:
            for path, letter in policy["rules"]:
                if letter not in _LATE:
                    _allow(ruleset, path, _ACCESS[letter] & handled)
            for path in self.interpreter:
                _allow(ruleset, path, _ACCESS["x"] & handled)
        except BaseException:
            os.close(ruleset)
            raise
        return ruleset

    def look(self):
        """What lies at the paths of the common rules: a rule is about that, not about a name."""
        seen = []
        rules = [path for path, letter in self.policy["rules"] if letter not in _LATE]
        for path in rules + self.interpreter:
            try:
                status = os.stat(path)
                seen.append((status.st_dev, status.st_ino))
            except OSError:
                seen.append(None)
        return seen


def _abi():
    return syscall(_NR_CREATE_RULESET, None, 0, 1)


def _handled(abi):
    handled = 0
    for since, rights in _SINCE_ABI:
        if abi >= since:
            handled |= rights
    return handled


def _allow(ruleset, path, access):
    """Allow what lies beneath `path`, which holds no link; what is gone needs no rule."""
    try:
        how = words(os.O_PATH | os.O_CLOEXEC, 0, _RESOLVE_NO_SYMLINKS)
        fd = syscall(_NR_OPENAT2, _AT_FDCWD, os.fsencode(path), how, len(how))
    except OSError:
        return
    try:
        # A packed structure: 64 bits and 32.
        beneath = fd.to_bytes(4, sys.byteorder)
        try:
            syscall(_NR_ADD_RULE, ruleset, _RULE_PATH_BENEATH, words(access) + beneath, 0)
        except OSError:
            # EINVAL: it is no folder, and on a file there are fewer rights.
            access &= _ON_FILES
            syscall(_NR_ADD_RULE, ruleset, _RULE_PATH_BENEATH, words(access) + beneath, 0)
    finally:
        os.close(fd)


def interpreter_paths(policy):
    """Where this Python and its packages lie, links resolved.

    An interpreter within the project is the user's choice, but what is written in its files
    (`pyvenv.cfg`, `*.pth`) is not: from outside it gets the standard library that it runs on.
    """
    project = policy["project"]
    prefixes = {sys.prefix, sys.exec_prefix, sys.base_prefix, sys.base_exec_prefix}
    if _within(os.path.abspath(sys.prefix), project):
        library = os.path.realpath(os.path.dirname(os.__file__))
        prefixes = {p for p in prefixes if _within(library, os.path.realpath(p))}
        entries = set()
    else:
        entries = set(sys.path)
    found = set()
    for prefix in map(os.path.realpath, prefixes):
        if _too_wide(prefix, policy):
            found.update(os.path.join(prefix, name) for name in ("bin", "lib", "lib64"))
        else:
            found.add(prefix)
    for entry in entries:
        if os.path.isabs(entry):
            entry = os.path.realpath(entry)
            if not _too_wide(entry, policy):
                found.add(entry)
    covered = [path for path, letter in policy["rules"] if letter in "xw"]
    found = sorted(path for path in found if not any(_within(path, c) for c in covered))
    return [p for p in found if not any(_within(p, other) for other in found if other != p)]


def _too_wide(path, policy):
    """Whether so much would be opened by it that it cannot be meant."""
    closed = policy["closed"] + [os.path.dirname(policy["project"])]
    return path.count("/") < 2 or any(_within(other, path) for other in closed)


def _within(path, folder):
    return path == folder or path.startswith(folder.rstrip("/") + "/")
