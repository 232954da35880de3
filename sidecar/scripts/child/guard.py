# Where the kernel has no subreaper: what the script's process does before the script runs, so that
# the daemon can end all of it. Run by bootstrap.py on systems other than Linux.
#
# macOS and other POSIX: the script stays in this process (a child that was forked and runs on
# without exec is in danger there: fork(2), CAVEATS, "exec ... system frameworks"). A watcher,
# nobody's child, kills the script's process group when the daemon is gone: the end of the socket
# `control`; a byte on it says that the script has ended and the watcher may go.
# Windows: the script waits for a byte on `control`, a pipe, which comes once the daemon has put
# this process into its Job Object; whatever it starts afterwards is in the job too.
import os


def guarded(script, control, report):
    """The script's descriptor, and where report.py writes; on Windows they come as handles."""
    if os.name == "nt":
        import msvcrt

        script = msvcrt.open_osfhandle(script, os.O_RDONLY)
        report = msvcrt.open_osfhandle(report, os.O_RDWR)
        control = msvcrt.open_osfhandle(control, os.O_RDONLY)
        if not os.read(control, 1):
            os._exit(1)
    else:
        os.set_inheritable(report, False)
        _start_watcher(control)
    os.close(control)
    status = os.fstat(report)
    return script, (report, status.st_dev, status.st_ino)


def _start_watcher(control):
    group = os.getpid()
    between = os.fork()
    if between:
        # A child of the script's that it knows nothing of would turn up in its os.wait().
        os.waitpid(between, 0)
        return
    if os.fork():
        os._exit(0)
    try:
        os.setsid()
        null = os.open(os.devnull, os.O_RDWR)
        for fd in range(3):
            os.dup2(null, fd)
        os.closerange(3, control)
        os.closerange(control + 1, 4096)
        if not os.read(control, 1):
            os.killpg(group, 9)
    finally:
        os._exit(0)
