# Two processes forked ahead of the request that they are for: a supervisor and, beneath it, the
# process that is to be the script's. Run in the zygote.
#
# To fork them takes longer than most scripts run, page faults included; so it is done while nobody
# waits. They know nothing of any request: environment, folder, streams, niceness and confinement
# come with it; made ready is only what the confinement of every attempt has in common. They end
# with the zygote, which holds the other ends of the sockets that they wait at. While they wait they
# bear a name of their own, so that nobody takes them for a script's.
#
# To the supervisor:  one byte, with the attempt's `control` (supervisor.py)
# To the script's:    the request as the zygote got it, with its descriptors but `control`
import _signal
import _socket
import os
import sys

NAME = b"sidecar-spare"
_SIGKILL = 9


class Spare:
    """The two, as the zygote sees them; `pid` is the supervisor's."""

    def __init__(self, pid, supervisor, script):
        self.pid = pid
        self.sockets = (supervisor, script)

    def give(self, message, stdin, stdout, stderr, script, control, code):
        """Have the two serve a request. Raises OSError when one of them is gone."""
        supervisor, process = self.sockets
        # First: whoever hears nothing knows that no line of the script has run.
        os.write(control, b"supervisor %d\n" % self.pid)
        _send(process, message, [stdin, stdout, stderr, script, code])
        # Should we be killed before this, the supervisor ends, and the script with it.
        _send(supervisor, b"c", [control])
        self.close()

    def close(self):
        """Let go of them; they end if they have not been given a request."""
        for end in self.sockets:
            end.close()

    def end(self):
        """Kill both; to be collected by the zygote, their subreaper."""
        self.close()
        os.kill(self.pid, _SIGKILL)  # the kernel kills the script's with it


def fork_ahead(birth, supervise, rehearse):
    """A Spare, in the zygote; in the script's process message, descriptors, report and a socket.

    A descriptor sent to that socket nobody receives: it is open as long as the supervisor lives.
    `birth` are the names of birth.py; `rehearse` is called in the script's process before it
    waits. Raises OSError when nothing can be forked.
    """
    # What is not kept closes itself.
    ours, supervisors = _socket.socketpair(_socket.AF_UNIX, _socket.SOCK_SEQPACKET)
    our_scripts, scripts = _socket.socketpair(_socket.AF_UNIX, _socket.SOCK_SEQPACKET)
    pid = os.fork()
    if pid:
        supervisors.close()
        scripts.close()
        return Spare(pid, ours, our_scripts)
    # Here and not when they are collected: their numbers will be others' by then.
    ours.close()
    our_scripts.close()
    try:
        return _wait(birth, supervise, rehearse, supervisors, scripts)
    except BaseException:
        os._exit(1)


def _wait(birth, supervise, rehearse, supervisors, scripts):
    """In the new process, which becomes the supervisor; returns in the script's."""
    name = _name()
    _rename(NAME)
    _signal.set_wakeup_fd(-1)
    _signal.signal(_signal.SIGCHLD, _signal.SIG_DFL)
    _signal.signal(_signal.SIGINT, _signal.default_int_handler)
    os.setsid()
    birth["close_all_but"](supervisors.fileno(), scripts.fileno())
    subreaper, parent = birth["become_subreaper"](), os.getpid()
    report = birth["shared_report"]()
    kept, keeping = _socket.socketpair()
    script = os.fork()
    if script:
        scripts.close()
        keeping.close()
        _, (control,) = _receive(supervisors)
        supervisors.close()
        _rename(name)
        supervise(control, script, report, subreaper)
    supervisors.close()
    kept.close()
    birth["follow"](parent)
    rehearse()
    message, descriptors = _receive(scripts)
    scripts.close()
    _rename(name)
    os.nice(birth["NICENESS"])
    return message, descriptors, report, keeping


def keeper(kept):
    """Sends one descriptor to the socket, or none, and closes it; for `confine.enter`."""

    def keep(fd):
        if fd >= 0:
            _send(kept, b"v", [fd])
        kept.close()

    return keep


def _send(end, message, descriptors):
    packed = b"".join(fd.to_bytes(4, sys.byteorder) for fd in descriptors)
    end.sendmsg([message], [(_socket.SOL_SOCKET, _socket.SCM_RIGHTS, packed)])


def _receive(end):
    """A message and its descriptors; without one there is nobody left to serve."""
    message, descriptors = receive(end)
    if not message:
        os._exit(0)
    return message, descriptors


def receive(end, max_bytes=1 << 20, max_descriptors=6):
    """A message, empty at the end of the socket, and the descriptors that came with it."""
    message, ancillary, _, _ = end.recvmsg(
        max_bytes, _socket.CMSG_SPACE(4 * max_descriptors), _socket.MSG_CMSG_CLOEXEC
    )
    data = ancillary[0][2] if ancillary else b""
    return message, [
        int.from_bytes(data[at : at + 4], sys.byteorder) for at in range(0, len(data), 4)
    ]


def _name():
    with open("/proc/self/comm", "rb", 0) as stream:
        return stream.read().rstrip(b"\n")


def _rename(name):
    """As `ps` and `/proc/PID/comm` show it."""
    with open("/proc/self/comm", "wb", 0) as stream:
        stream.write(name)
