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
import os
import sys

import calling
import landlock
import view
from calling import call

for _name in ("calling", "landlock", "view"):
    del sys.modules[_name]  # a script may have one of that name

_NR_IO_URING_SETUP = 425
#: Architecture, as seccomp(2) sees it, and its number of socket(2).
_SOCKET = {"x86_64": (0xC000003E, 41), "aarch64": (0xC00000B7, 198), "riscv64": (0xC00000F3, 198)}
_PR_CAPBSET_DROP, _PR_SET_NO_NEW_PRIVS, _PR_SET_SECCOMP = 24, 38, 22
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


class _InForce:
    """What of a policy has been put in force in this process: nothing yet."""

    def __init__(self, common):
        import marshal

        self.policy = marshal.loads(common)  # noqa: S302 - the daemon's own
        self.limited = False
        self.view = view.View()
        self.rules = landlock.Rules(self.policy, _interpreters.get(common))


#: `rehearse`'s, for `enter`.
_ahead = []


def prepare(common):
    """Find out ahead what does not change from script to script; not needed, only quicker."""
    if common not in _interpreters:
        import marshal

        policy = marshal.loads(common)  # noqa: S302 - the daemon's own
        if len(_interpreters) >= _MAX_KINDS:
            _interpreters.clear()
        _interpreters[common] = (
            landlock.interpreter_paths(policy) if policy["level"] != "off" else []
        )
        if calling.AVAILABLE:
            for name in ("syscall", "prlimit", "unshare", "mount", "capget", "capset", "prctl"):
                calling.function(name)


def rehearse(common, keep_view):
    """Do ahead, in the process that is to be shut in, what `enter` does for all attempts alike; not
    needed, only quicker. For `keep_view` see `enter`."""
    ahead = _InForce(common)
    if ahead.policy["level"] == "off" or not calling.AVAILABLE or sys.platform != "linux":
        return
    _ahead.append(ahead)
    try:
        _limit(ahead)
        ahead.view.change(ahead.policy, keep_view)
        os.chdir("/")  # until then, the project's folder is not ours to hold
        _bound_capabilities(ahead.policy)
        ahead.rules.make()
    except OSError:
        pass  # `enter` says so


def enter(common, own, keep_view=None):
    """Put the policy in force, for this process and all that it starts, for good.

    `keep_view` is called once, with a descriptor of the view of the files or -1, so that somebody
    who outlives this process can hold it: to take a mount namespace down holds up the end of
    whoever has it last, by milliseconds when the processors are busy.
    """
    import marshal

    in_force = _ahead.pop() if _ahead else _InForce(common)
    policy = in_force.policy
    policy.update(marshal.loads(own))  # noqa: S302 - the daemon's own
    os.umask(policy["umask"])
    missing = "" if policy["level"] == "off" else _missing(in_force, keep_view)
    if keep_view is not None:
        keep_view(-1)
    if missing and policy["level"] == "require":
        raise IsolationUnavailable("isolation is required, and here it is missing: " + missing)


def _missing(in_force, keep_view):
    """Put in force what can be; the rest, named for a person."""
    policy = in_force.policy
    if sys.platform != "linux":
        _limit_by_module(policy["limits"])
        return "Landlock, which only Linux has"
    if not calling.AVAILABLE:
        _limit_by_module(policy["limits"])
        return "the module _ctypes of the Python that scripts run on"
    missing = []
    steps = (
        ("limits", _limit, in_force),
        (
            "a view of its own of the files (mount namespace)",
            in_force.view.change,
            policy,
            keep_view,
        ),
        ("capabilities", _drop_capabilities, policy),
        ("no_new_privs", _no_new_privileges),
        ("network", _close_network, policy),
        ("Landlock", in_force.rules.restrict),
    )
    for name, step, *given in steps:
        try:
            step(*given)
        except OSError as error:
            missing.append("%s: %s" % (name, error.strerror or error))
    return ", ".join(missing)


# --- limits ------------------------------------------------------------------------------------


def _limit(in_force):
    """Lower the limits; what is lower already stays. Both, soft and hard: raising is for root."""
    if in_force.limited:
        return
    for name, wanted in in_force.policy["limits"].items():
        old = calling.Buffer()
        call("prlimit", 0, _RESOURCES[name], None, old)
        soft, hard = (int.from_bytes(bytes(old)[at : at + 8], sys.byteorder) for at in (0, 8))
        call(
            "prlimit",
            0,
            _RESOURCES[name],
            calling.words(min(soft, wanted), min(hard, wanted)),
            None,
        )
    try:
        calling.write("/proc/self/oom_score_adj", _OOM_SCORE)
    except OSError:
        pass  # it is higher already, or there is no /proc
    in_force.limited = True


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


# --- privileges --------------------------------------------------------------------------------


def _drop_capabilities(policy):
    kept = policy["capabilities"] if os.geteuid() == 0 else 0
    _bound_capabilities(policy)
    header = (0x20080522).to_bytes(4, sys.byteorder) + bytes(4)
    # capget(2): effective, permitted and inheritable, 32 bits each, and the upper halves of them
    now = calling.Buffer()
    call("capget", header, now)
    permitted = bytes(now)[4:8]
    left = (int.from_bytes(permitted, sys.byteorder) & kept).to_bytes(4, sys.byteorder)
    call("capset", header, left + left + bytes(16))


def _bound_capabilities(policy):
    """Root's, by which it could get back what it drops; once in a process."""
    kept = policy["capabilities"]
    if os.geteuid() == 0 and _bounded != [kept]:
        _bounded[:] = [kept]
        for number in range(_LAST_CAPABILITY + 1):
            if not kept >> number & 1:
                try:
                    call("prctl", _PR_CAPBSET_DROP, number, 0, 0, 0)
                except OSError:
                    break  # beyond the last one that this kernel knows, or root without SETPCAP


def _no_new_privileges():
    call("prctl", _PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0)


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
    pointer = calling.Pointer(code)
    filter_ = len(program).to_bytes(2, sys.byteorder) + bytes(6) + bytes(pointer)
    call("prctl", _PR_SET_SECCOMP, 2, filter_, 0, 0)
