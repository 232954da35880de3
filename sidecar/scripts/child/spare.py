# Two processes that are there before the script that they are for: a supervisor and, beneath it,
# the process that is to be the script's. Run in the zygote, which forks the supervisor.
#
# To fork them takes longer than most scripts run, page faults included; so it is done while nobody
# waits. The daemon gives them one script after another: when nothing is left of one, the supervisor
# forks a process for the next. These know nothing of any script: environment, folder, streams and
# niceness come with it; made ready is only what the confinement of every attempt has in common.
# While they wait they bear a name of their own, so that nobody takes them for a script's.
#
# To the daemon:        what supervisor.py says; "started" as soon as the process is there
# From the daemon:      over `control`, what supervisor.py takes; over `requests`, for the process,
#                       an attempt: see zygote.py, with its descriptors but `control`
# From the process:     one byte over `requests` when it has taken an attempt
# They end with the daemon, and when it lets go of their sockets.
import _socket
import gc
import os
import sys
import time

NAME = b"sidecar-spare"
#: Whoever was told of a script's end has a processor for so long.
_COURTESY_SECONDS = 0.0005


def serve(control, requests, birth, supervisor, rehearse):
    """In a new process, which becomes the supervisor; returns in a script's process only: the
    message, its descriptors, a function, and the report.

    The function keeps one descriptor open until the supervisor has told of the script's end; see
    `confine.enter`. `birth` and `supervisor` are the names of birth.py and supervisor.py.
    `rehearse` is called in the script's process before it waits, with the function.
    """
    name = _name()
    _rename(NAME)
    os.setsid()
    birth["close_all_but"](control, requests)
    parent = os.getpid()
    os.write(control, b"supervisor %d\n" % parent)
    subreaper = birth["become_subreaper"]()
    watcher = supervisor["Supervisor"](control)
    while True:
        report = birth["shared_report"]()
        kept, keeping = _socket.socketpair()
        # What has come since the zygote's start is not the script's either; see finish.py.
        gc.freeze()
        script = os.fork()
        if not script:
            kept.close()
            watcher.as_before()
            birth["follow"](parent)
            keep = _keeper(keeping)
            rehearse(keep)
            return (*_wait(requests, name, birth["NICENESS"]), keep, report)
        keeping.close()
        watcher.say_started(script, subreaper)
        if not watcher.watch(script, report):
            os._exit(0)
        # Woken on the same processor, the daemon would wait until the next process is ready.
        time.sleep(_COURTESY_SECONDS)
        # The view of the files goes with the last who has it, and takes its time; see confine.py.
        kept.close()
        report.close()


def _wait(requests, name, niceness):
    """For an attempt; without one there is nobody left to serve."""
    end = _socket.socket(fileno=requests)
    message, descriptors = receive(end)
    if not message:
        os._exit(0)
    # From here on it counts as started.
    end.send(b"s")
    end.close()
    _rename(name)
    os.nice(niceness)
    return message, descriptors


def _keeper(keeping):
    """Sends one descriptor to where nobody receives it, or none, and is done."""

    def keep(fd):
        if fd >= 0:
            packed = fd.to_bytes(4, sys.byteorder)
            keeping.sendmsg([b"v"], [(_socket.SOL_SOCKET, _socket.SCM_RIGHTS, packed)])
        keeping.close()

    return keep


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
