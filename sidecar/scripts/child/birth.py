# Forks the script's process beneath a supervisor; run by bootstrap.py and in the zygote.
#
# The process that calls becomes the supervisor, a child subreaper (prctl(2)), and never returns;
# its child returns and becomes the script. Both share a mapping without a descriptor, in which
# report.py describes the exception that ends the script. Nothing that is loaded here stays in
# `sys.modules`: the script finds there what plain Python would show it.
import os
import sys

#: Scripts run behind the daemon, so that it answers while they use up the cores.
NICENESS = 5
#: Two texts of 64 Ki characters, escaped at worst; pages that nobody writes to cost nothing.
REPORT_BYTES = 1024 * 1024

_PR_SET_PDEATHSIG = 1
_PR_SET_CHILD_SUBREAPER = 36
_SIGKILL = 9


def fork_supervised(control, supervise):
    """The shared report, in the script's process. `supervise` is supervisor.py's function.

    Tells the daemon over `control`, a socket, and raises nothing: without a fork there is no
    script, and the process ends.
    """
    # Before the fork, so that no descendant can slip by.
    subreaper = become_subreaper()
    parent = os.getpid()
    # Before it too: whoever hears nothing knows that no line of the script has run.
    os.write(control, b"supervisor %d\n" % parent)
    try:
        report = shared_report()
        script = os.fork()
    except OSError as error:
        os.write(control, b"failed %d\n" % error.errno)
        os._exit(1)
    if script:
        close_all_but(control)
        supervise(control, script, report, subreaper)
    os.close(control)
    follow(parent)
    os.nice(NICENESS)
    return report


def shared_report():
    """What the script's process and its supervisor both see. Raises OSError."""
    import mmap

    return mmap.mmap(-1, REPORT_BYTES)


def follow(parent):
    """In the script's process: lead a session, and die with `parent`, the supervisor."""
    os.setsid()
    # A supervisor that is killed takes the script along; it has no threads, at whose end
    # PDEATHSIG would fire too.
    _prctl(_PR_SET_PDEATHSIG, _SIGKILL)
    if os.getppid() != parent:
        os._exit(1)
    for name in ("mmap", "_ctypes"):
        sys.modules.pop(name, None)


def become_subreaper():
    """Have all orphans below become children of this process; whether that can be had."""
    return _prctl(_PR_SET_CHILD_SUBREAPER, 1)


def close_all_but(*kept):
    """Close every descriptor beyond 2 that is not among these."""
    # Not closerange(): before Python 3.10 it calls close(2) for every number there may be.
    for name in os.listdir("/proc/self/fd"):
        fd = int(name)
        if fd > 2 and fd not in kept:
            try:
                os.close(fd)
            except OSError:
                pass  # the one of the listing


def _prctl(option, value):
    """Whether the call succeeded; `_ctypes` alone, since `ctypes` takes milliseconds to load."""
    try:
        import _ctypes

        function = _ctypes.dlsym(_ctypes.dlopen(None, os.RTLD_NOW), "prctl")
        return _ctypes.call_function(function, (option, value, 0, 0, 0)) == 0
    except (ImportError, AttributeError, OSError):
        return False  # a Python without libffi; the daemon says what it then cannot do
