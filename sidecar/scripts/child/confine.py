# Shuts a process in, right before a script runs in it; on the user's Python, 3.8 or newer.
#
# `enter(common, own)` is called once, in the script's own process, single-threaded, as the last
# thing before the script's first line. The two halves of the policy are what
# sidecar/scripts/confinement.py made: what is the same for one attempt after another, so that
# `rehearse` can do it ahead, and the attempt's own; dicts, marshalled, since the interpreter reads
# that without importing anything. What each system call is for stands beside it; why the policy is
# as it is, there.
#
# What cannot be put in force is left out, unless the policy requires it: then IsolationUnavailable
# is raised and no line of the script may run. Nobody takes this file's word for what is in force:
# a canary, run the same way as any script, tries it.
#
# Of ctypes only the C part is imported: the rest takes an interpreter milliseconds.
import os
import sys

try:
    _had_ctypes = "_ctypes" in sys.modules
    import _ctypes

    # The script is to find loaded what plain Python has loaded.
    if not _had_ctypes:
        del sys.modules["_ctypes"]
except ImportError:  # a Python built without libffi
    _ctypes = None

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
_NR_IO_URING_SETUP, _NR_MOUNT_SETATTR = 425, 442
#: Architecture, as seccomp(2) sees it, and its number of socket(2).
_SOCKET = {"x86_64": (0xC000003E, 41), "aarch64": (0xC00000B7, 198), "riscv64": (0xC00000F3, 198)}

_AT_FDCWD = -100
_RESOLVE_NO_SYMLINKS = 4
_PR_CAPBSET_DROP, _PR_SET_NO_NEW_PRIVS, _PR_SET_SECCOMP = 24, 38, 22
_CLONE_NEWNS, _CLONE_NEWUSER = 0x00020000, 0x10000000
_MS_NOSUID, _MS_NODEV, _MS_NOEXEC, _MS_BIND, _MS_REC, _MS_SLAVE = 2, 4, 8, 4096, 16384, 1 << 19
_MOUNT_ATTR_RDONLY = 1
_MNT_DETACH, _ENOENT, _EINVAL = 2, 2, 22
_SHARED_MEMORY = "/dev/shm"  # noqa: S108 - a device of the system
#: A folder of the sidecar's holds a handful; more need no stand-in to be covered.
_COVERED_NAMES = 200
_LAST_CAPABILITY = 63
#: Of policies that are remembered.
_MAX_KINDS = 16
_RESOURCES = {"core": 4, "fsize": 1, "nofile": 7, "as": 9}  # getrlimit(2) on Linux
#: Of 1000: when memory runs out, the script goes and not the daemon (proc(5), oom_score_adj).
_OOM_SCORE = "500"
#: The capabilities that this process can still have, once that is settled.
_bounded = []
#: By `common`, as it came: what the interpreter itself reads and executes; see `prepare`.
_interpreters = {}


class IsolationUnavailable(Exception):
    """The host requires protection that this machine or this Python cannot give."""


class _Ahead:
    """What `rehearse` has done of a policy, and in view of what; nothing yet."""

    def __init__(self, common):
        import marshal

        self.policy = marshal.loads(common)  # noqa: S302 - the daemon's own
        self.interpreter = _interpreters.get(common)
        self.limited = False
        #: Whether this process has a view of its own of the files, whether what is the same for
        #: all attempts has been done there, and what is covered.
        self.separate = self.furnished = False
        self.covered = []
        self.ruleset = -1
        #: What lay at the paths of the ruleset.
        self.seen = []


#: `rehearse`'s, for `enter`.
_ahead = []


def prepare(common):
    """Find out ahead what does not change from script to script; not needed, only quicker."""
    if common not in _interpreters:
        import marshal

        policy = marshal.loads(common)  # noqa: S302 - the daemon's own
        if len(_interpreters) >= _MAX_KINDS:
            _interpreters.clear()
        _interpreters[common] = _interpreter_paths(policy) if policy["level"] != "off" else []
        if _ctypes is not None:
            for name in ("syscall", "prlimit", "unshare", "mount", "capget", "capset", "prctl"):
                _function(name)


def rehearse(common, keep_view):
    """Do ahead, in the process that is to be shut in, what `enter` does for all attempts alike; not
    needed, only quicker. For `keep_view` see `enter`."""
    ahead = _Ahead(common)
    if ahead.policy["level"] == "off" or _ctypes is None or not sys.platform.startswith("linux"):
        return
    _ahead.append(ahead)
    try:
        _limit(ahead)
        _change_view(ahead, keep_view)
        os.chdir("/")  # until then, the project's folder is not ours to hold
        _bound_capabilities(ahead.policy)
        ahead.ruleset = _common_ruleset(ahead)
        ahead.seen = _seen(ahead)
    except OSError:
        pass  # `enter` says so


def enter(common, own, keep_view=None):
    """Put the policy in force, for this process and all that it starts, for good.

    `keep_view` is called once, with a descriptor of the view of the files or -1, so that somebody
    who outlives this process can hold it: to take a mount namespace down holds up the end of
    whoever has it last, by milliseconds when the processors are busy.
    """
    import marshal

    ahead = _ahead.pop() if _ahead else _Ahead(common)
    policy = ahead.policy
    policy.update(marshal.loads(own))  # noqa: S302 - the daemon's own
    os.umask(policy["umask"])
    missing = "" if policy["level"] == "off" else _missing(ahead, keep_view)
    if keep_view is not None:
        keep_view(-1)
    if missing and policy["level"] == "require":
        raise IsolationUnavailable("isolation is required, and here it is missing: " + missing)


def _missing(ahead, keep_view):
    """Put in force what can be; the rest, named for a person."""
    policy = ahead.policy
    if not sys.platform.startswith("linux"):
        _limit_by_module(policy["limits"])
        return "Landlock, which only Linux has"
    if _ctypes is None:
        _limit_by_module(policy["limits"])
        return "the module _ctypes of the Python that scripts run on"
    missing = []
    steps = (
        ("limits", _limit, ahead),
        ("a view of its own of the files (mount namespace)", _change_view, ahead, keep_view),
        ("capabilities", _drop_capabilities, policy),
        ("no_new_privs", _no_new_privileges),
        ("network", _close_network, policy),
        ("Landlock", _landlock, ahead),
    )
    for name, step, *given in steps:
        try:
            step(*given)
        except OSError as error:
            missing.append("%s: %s" % (name, error.strerror or error))
    return ", ".join(missing)


# --- calling the system ------------------------------------------------------------------------

if _ctypes is not None:

    class _Long(_ctypes._SimpleCData):
        _type_ = "l"

    class _Pointer(_ctypes._SimpleCData):
        _type_ = "z"

    class _Byte(_ctypes._SimpleCData):
        _type_ = "c"

    class _Buffer(_ctypes.Array):
        """Room for what a function writes; `bytes()` of it is what it wrote."""

        _type_ = _Byte
        _length_ = 24

    class _Function(_ctypes.CFuncPtr):
        _flags_ = _ctypes.FUNCFLAG_CDECL | _ctypes.FUNCFLAG_USE_ERRNO
        _restype_ = _Long


_functions = {}


def _function(name):
    if name not in _functions:
        _functions[name] = _Function(_ctypes.dlsym(_ctypes.dlopen(None, os.RTLD_NOW), name))
    return _functions[name]


def _call(name, *arguments):
    """A function of the C library: integers, bytes and None in, an int out. Raises OSError."""
    result = _function(name)(*[_Long(a) if type(a) is int else a for a in arguments])
    # Of an int, a long has only the lower half.
    result &= 0xFFFFFFFF
    if result == 0xFFFFFFFF:
        number = _ctypes.get_errno()
        raise OSError(number, "%s: %s" % (name, os.strerror(number)))
    return result


def _syscall(number, *arguments):
    return _call("syscall", number, *(arguments + (0,) * (5 - len(arguments))))


def _words(*values):
    """64-bit fields of a structure."""
    return b"".join((value & (2**64 - 1)).to_bytes(8, sys.byteorder) for value in values)


# --- limits ------------------------------------------------------------------------------------


def _limit(ahead):
    """Lower the limits; what is lower already stays. Both, soft and hard: raising is for root."""
    if ahead.limited:
        return
    for name, wanted in ahead.policy["limits"].items():
        old = _Buffer()
        _call("prlimit", 0, _RESOURCES[name], None, old)
        soft, hard = (int.from_bytes(bytes(old)[at : at + 8], sys.byteorder) for at in (0, 8))
        _call("prlimit", 0, _RESOURCES[name], _words(min(soft, wanted), min(hard, wanted)), None)
    try:
        _write("/proc/self/oom_score_adj", _OOM_SCORE)
    except OSError:
        pass  # it is higher already, or there is no /proc
    ahead.limited = True


def _limit_by_module(limits):
    """The same where there is no C library to call. `resource` must not stay in sys.modules."""
    try:
        import resource
    except ImportError:
        return
    for name, wanted in limits.items():
        which = getattr(resource, "RLIMIT_" + name.upper(), None)
        if which is not None:
            now = resource.getrlimit(which)
            pair = [wanted if n == resource.RLIM_INFINITY else min(n, wanted) for n in now]
            try:
                resource.setrlimit(which, pair)
            except (OSError, ValueError):
                pass  # macOS has no limit of the address space
    del sys.modules["resource"]


# --- what is seen of the files, and can be changed ----------------------------------------------


def _change_view(ahead, keep_view):
    """Give the process a view of the files in which what is not the script's is covered.

    Landlock allows by hierarchy and cannot take a part out again. So: a mount namespace, where the
    sidecar's own folder in the project holds nothing that can be opened but the cache, what the
    daemon itself executes cannot be written, and shared memory is the attempt's own. Landlock, put
    in force next, forbids undoing it.
    """
    policy = ahead.policy
    if not ahead.separate:
        _separate_view()
        ahead.separate = True
        if keep_view is not None:
            _hand_over_view(keep_view)
    if not ahead.furnished:
        for path in map(os.fsencode, policy["fixed"]):
            _call("mount", path, path, None, _MS_BIND | _MS_REC, None)
            _make_read_only(path)
        if os.path.isdir(_SHARED_MEMORY):
            flags = _MS_NOSUID | _MS_NODEV
            _call("mount", b"tmpfs", os.fsencode(_SHARED_MEMORY), b"tmpfs", flags, b"mode=1777")
        ahead.furnished = True
    for folder, kept in policy["hidden"]:
        now = policy.get("covered")
        if not ahead.covered or (now is not None and now != ahead.covered):
            if ahead.covered:
                _uncover(folder)
            ahead.covered = _cover(folder, kept)
            # What of the daemon's files in /proc is open to everybody goes too (`cmdline`,
            # `status`).
            process = b"/proc/%d" % policy["daemon"]
            _call("mount", os.fsencode(folder), process, None, _MS_BIND, None)
    # Where this process is was seen before; from there one would get behind what covers it.
    os.chdir(policy["project"])


def _separate_view():
    user, group = os.geteuid(), os.getegid()
    if user == 0:
        _call("unshare", _CLONE_NEWNS)
    else:
        _call("unshare", _CLONE_NEWNS | _CLONE_NEWUSER)
        # user_namespaces(7): without this one may not map one's group
        _write("/proc/self/setgroups", "deny")
        _write("/proc/self/uid_map", "%d %d 1" % (user, user))
        _write("/proc/self/gid_map", "%d %d 1" % (group, group))
    # What is mounted here must not appear anywhere else.
    _call("mount", None, b"/", None, _MS_REC | _MS_SLAVE, None)


def _hand_over_view(keep_view):
    view = os.open("/proc/self/ns/mnt", os.O_RDONLY)
    try:
        keep_view(view)
    finally:
        os.close(view)


def _make_read_only(path):
    attributes = _words(_MOUNT_ATTR_RDONLY, 0, 0, 0)
    _syscall(_NR_MOUNT_SETATTR, _AT_FDCWD, path, 0, attributes, len(attributes))


def _cover(folder, kept):
    """A folder in front of `folder` with the same names; of these only `kept` can be opened.

    The others are character devices without a number, which nobody needs a privilege to make, in
    a file system that opens none: EACCES, for root too. Returns what has been covered, as
    confinement.py's `covered` tells it.
    """
    covered = os.open(folder, os.O_RDONLY | os.O_NOFOLLOW | os.O_DIRECTORY)
    inner = os.open(kept, os.O_PATH | os.O_NOFOLLOW | os.O_DIRECTORY, dir_fd=covered)
    try:
        names = sorted(os.listdir(covered))
        seen = [(status.st_dev, status.st_ino) for status in map(os.fstat, (covered, inner))]
        flags = _MS_NOSUID | _MS_NODEV | _MS_NOEXEC
        at = b"/proc/self/fd/%d"
        _call("mount", b"tmpfs", at % covered, b"tmpfs", flags, b"size=64k,nr_inodes=256,mode=700")
        for name in [name for name in names if name != kept][:_COVERED_NAMES]:
            os.mknod(os.path.join(folder, name), 0o020000, 0)
        path = os.path.join(folder, kept)
        os.mkdir(path, 0o700)
        _call("mount", at % inner, os.fsencode(path), None, _MS_BIND, None)
        _make_read_only(os.fsencode(folder))
    finally:
        os.close(inner)
        os.close(covered)
    return [*seen, names]


def _uncover(folder):
    """Take away what `_cover` has put there, unless it went with the folder."""
    try:
        _call("umount2", os.fsencode(folder), _MNT_DETACH)
    except OSError as error:
        if error.errno not in (_ENOENT, _EINVAL):
            raise


def _write(path, text):
    fd = os.open(path, os.O_WRONLY)
    try:
        os.write(fd, text.encode())
    finally:
        os.close(fd)


# --- privileges --------------------------------------------------------------------------------


def _drop_capabilities(policy):
    kept = policy["capabilities"] if os.geteuid() == 0 else 0
    _bound_capabilities(policy)
    header = (0x20080522).to_bytes(4, sys.byteorder) + bytes(4)
    # capget(2): effective, permitted and inheritable, 32 bits each, and the upper halves of them
    now = _Buffer()
    _call("capget", header, now)
    permitted = bytes(now)[4:8]
    left = (int.from_bytes(permitted, sys.byteorder) & kept).to_bytes(4, sys.byteorder)
    _call("capset", header, left + left + bytes(16))


def _bound_capabilities(policy):
    """Root's, by which it could get back what it drops; once in a process."""
    kept = policy["capabilities"]
    if os.geteuid() == 0 and _bounded != [kept]:
        _bounded[:] = [kept]
        for number in range(_LAST_CAPABILITY + 1):
            if not kept >> number & 1:
                try:
                    _call("prctl", _PR_CAPBSET_DROP, number, 0, 0, 0)
                except OSError:
                    break  # beyond the last one that this kernel knows, or root without SETPCAP


def _no_new_privileges():
    _call("prctl", _PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0)


# --- network -----------------------------------------------------------------------------------


def _close_network(policy):
    """With seccomp(2): no socket but those of the machine itself (AF_UNIX), of no protocol.

    Landlock can close TCP alone. io_uring makes sockets past seccomp, so it goes too; and other
    system call tables of the processor (32 bit) end in an error, whatever is called.
    """
    if policy["network"]:
        return
    architecture, socket = _SOCKET[os.uname().machine]
    load, equal, at_least, give = 0x20, 0x15, 0x35, 0x06
    allow, refuse = 0x7FFF0000, 0x00050000
    eperm, eacces, enosys = 1, 13, 38
    program = (
        (load, 0, 0, 4),  # the architecture
        (equal, 1, 0, architecture),
        (give, 0, 0, refuse | eperm),
        (load, 0, 0, 0),  # the number of the call
        (at_least, 0, 1, 0x40000000),  # the x32 table
        (give, 0, 0, refuse | enosys),
        (equal, 0, 1, _NR_IO_URING_SETUP),
        (give, 0, 0, refuse | enosys),
        (equal, 0, 3, socket),
        (load, 0, 0, 16 if sys.byteorder == "little" else 20),  # its first argument
        (equal, 1, 0, 1),  # AF_UNIX
        (give, 0, 0, refuse | eacces),
        (give, 0, 0, allow),
    )
    code = b"".join(
        op.to_bytes(2, sys.byteorder) + bytes((yes, no)) + value.to_bytes(4, sys.byteorder)
        for op, yes, no, value in program
    )
    pointer = _Pointer(code)
    filter_ = len(program).to_bytes(2, sys.byteorder) + bytes(6) + bytes(pointer)
    _call("prctl", _PR_SET_SECCOMP, 2, filter_, 0, 0)


# --- files -------------------------------------------------------------------------------------


def _landlock(ahead):
    policy, ruleset = ahead.policy, ahead.ruleset
    if ruleset >= 0 and ahead.seen != _seen(ahead):
        os.close(ruleset)
        ruleset = -1
    if ruleset < 0:
        ruleset = _common_ruleset(ahead)
    try:
        handled = _handled(_abi())
        late = [rule for rule in policy["rules"] if rule[1] in _LATE]
        for path, letter in policy["own_rules"] + late:
            _allow(ruleset, path, _ACCESS[letter] & handled)
        _syscall(_NR_RESTRICT_SELF, ruleset, 0)
    finally:
        os.close(ruleset)


def _abi():
    return _syscall(_NR_CREATE_RULESET, None, 0, 1)


def _handled(abi):
    handled = 0
    for since, rights in _SINCE_ABI:
        if abi >= since:
            handled |= rights
    return handled


def _common_ruleset(ahead):
    """A ruleset with what is open to every attempt; the caller's to close. Raises OSError."""
    policy = ahead.policy
    if ahead.interpreter is None:
        ahead.interpreter = _interpreter_paths(policy)
    abi = _abi()
    handled = _handled(abi)
    attributes = _words(handled)
    if abi >= _NET_ABI:
        attributes += _words(0 if policy["network"] else _NET_BIND_AND_CONNECT_TCP)
    if abi >= _SCOPE_ABI:
        attributes += _words(_SCOPE_ABSTRACT_SOCKETS_AND_SIGNALS)
    ruleset = _syscall(_NR_CREATE_RULESET, attributes, len(attributes), 0)
    try:
        for path, letter in policy["rules"]:
            if letter not in _LATE:
                _allow(ruleset, path, _ACCESS[letter] & handled)
        for path in ahead.interpreter:
            _allow(ruleset, path, _ACCESS["x"] & handled)
    except BaseException:
        os.close(ruleset)
        raise
    return ruleset


def _seen(ahead):
    """What lies at the paths of the common rules: a rule is about that, not about a name."""
    seen = []
    rules = [path for path, letter in ahead.policy["rules"] if letter not in _LATE]
    for path in rules + ahead.interpreter:
        try:
            status = os.stat(path)
            seen.append((status.st_dev, status.st_ino))
        except OSError:
            seen.append(None)
    return seen


def _allow(ruleset, path, access):
    """Allow what lies beneath `path`, which holds no link; what is gone needs no rule."""
    try:
        how = _words(os.O_PATH | os.O_CLOEXEC, 0, _RESOLVE_NO_SYMLINKS)
        fd = _syscall(_NR_OPENAT2, _AT_FDCWD, os.fsencode(path), how, len(how))
    except OSError:
        return
    try:
        # A packed structure: 64 bits and 32.
        beneath = fd.to_bytes(4, sys.byteorder)
        try:
            _syscall(_NR_ADD_RULE, ruleset, _RULE_PATH_BENEATH, _words(access) + beneath, 0)
        except OSError:
            # EINVAL: it is no folder, and on a file there are fewer rights.
            access &= _ON_FILES
            _syscall(_NR_ADD_RULE, ruleset, _RULE_PATH_BENEATH, _words(access) + beneath, 0)
    finally:
        os.close(fd)


def _interpreter_paths(policy):
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
