# Stays with one script from its start until nothing of it is left, and tells the daemon.
#
# Run in the script's parent process, a child subreaper: whoever loses its parent below becomes its
# child (prctl(2), PR_SET_CHILD_SUBREAPER), so "no child left" means that nothing is left, however
# it was started. The supervisor ends what is left when the script has ended, when the daemon says
# so, and when the daemon is gone: that is the end of the socket between them.
#
# To the daemon:    "supervisor PID\n", by birth.py, before the script's process is made
#                   "started PID SUBREAPER\n", the script's process, and 0 or 1
#                   "ended STATUS LEFT LENGTH\n" and LENGTH bytes of report; STATUS as waitpid(2)
#                   gives it, LEFT is 1 when something cannot be killed (a process within an
#                   uninterruptible call); the supervisor then stays and goes on trying
# From the daemon:  "T": SIGTERM, and SIGCONT, to the script and all its descendants
#                   "K": SIGKILL
import _signal
import os
import select
import time

#: After so long, what does not die is reported and no longer waited for.
UNKILLABLE_SECONDS = 5.0
#: How many process numbers beyond the newest are tried too: one that forks again and again, and
#: ends each time, is found where it will be and not where it was.
AHEAD = 8
#: How often the children alone are killed before everybody is looked at: where the kernel lists
#: them, in less time than it takes to fork.
QUICK_ROUNDS = 50
_IGNORED = (_signal.SIGINT, _signal.SIGTERM, _signal.SIGHUP, _signal.SIGTSTP)


def supervise(control, script, report, subreaper):
    """Watch over `script`, a child of this process; never returns."""
    try:
        supervisor = Supervisor(control)
        supervisor.say_started(script, subreaper)
        supervisor.watch(script, report)
    finally:
        os._exit(0)


class Supervisor:
    """What this process does for one script, or for one after another."""

    def __init__(self, control):
        self.control = control
        self.script = 0
        self.status = None
        os.chdir("/")  # the project's folder is not ours to hold
        #: What `as_before` restores.
        self.handlers = [(number, _signal.getsignal(number)) for number in _IGNORED]
        for number in _IGNORED:
            _signal.signal(number, _signal.SIG_IGN)
        self.waking, self.woken = os.pipe()
        _signal.signal(_signal.SIGCHLD, lambda *_: None)
        _release_streams()
        for fd in (control, self.waking, self.woken):
            os.set_blocking(fd, False)
        _signal.set_wakeup_fd(self.woken, warn_on_full_buffer=False)
        self.poll = select.poll()
        self.poll.register(self.waking, select.POLLIN)

    def as_before(self):
        """In a new child: undo what only a supervisor needs."""
        _signal.set_wakeup_fd(-1)
        _signal.signal(_signal.SIGCHLD, _signal.SIG_DFL)
        for number, handler in self.handlers:
            _signal.signal(number, handler)
        for fd in (self.control, self.waking, self.woken):
            os.close(fd)

    def say_started(self, script, subreaper):
        """Tell the daemon whom it may run into."""
        self.say(b"started %d %d\n" % (script, subreaper))

    def watch(self, script, report):
        """Until nothing of `script`, a child of this process, is left; whether the daemon, which is
        told, left it at that, so that it may have more to be watched."""
        self.script, self.status = script, None
        self.poll.register(self.control, select.POLLIN)
        undisturbed = True
        while self.reap() and self.status is None and undisturbed:
            undisturbed = self.obey()
            if undisturbed:
                self.wait(None)
        # What only this process can reach it should not be stopped from reaching by the daemon's
        # words: they are all the same now.
        self.poll.unregister(self.control)
        left = self.end_all(time.monotonic() + UNKILLABLE_SECONDS)
        length = min(int.from_bytes(report[:4], "little"), len(report) - 4)
        status = _signal.SIGKILL if self.status is None else self.status
        self.say(b"ended %d %d %d\n" % (status, left, length) + report[4 : 4 + length])
        if left:
            self.end_all(float("inf"))
        return undisturbed and not left

    def reap(self):
        """Collect the dead; false when no child is left, hence no descendant."""
        try:
            while True:
                pid, status = os.waitpid(-1, os.WNOHANG)
                if pid == self.script:
                    self.status = status
                if pid == 0:
                    return True
        except ChildProcessError:
            return False

    def wait(self, milliseconds):
        self.poll.poll(milliseconds)
        try:
            os.read(self.waking, 4096)
        except BlockingIOError:
            pass

    def obey(self):
        """Do what the daemon has said; false when all is to end."""
        try:
            said = os.read(self.control, 64)
        except BlockingIOError:
            return True
        except OSError:
            return False
        if b"T" in said:
            for pid in _descendants():
                _send(pid, _signal.SIGTERM)
                _send(pid, _signal.SIGCONT)
        return bool(said) and b"K" not in said

    def end_all(self, deadline):
        """Kill whatever is left until nothing is, or the deadline has passed; whether it has."""
        try:
            # One blow for those that stayed in the script's group: none can fork meanwhile.
            os.killpg(self.script, _signal.SIGKILL)
        except OSError:
            pass
        pause_ms = 1
        while self.reap():
            # One that hops from process to process is our child as soon as it has hopped.
            for _ in range(QUICK_ROUNDS):
                children = _listed_children()
                for pid in children:
                    _kill(pid)
                if not self.reap():
                    return False
                if not children:
                    break
            if time.monotonic() > deadline:
                return True
            for pid in _descendants(_kill):
                _kill(pid)
            self.wait(pause_ms)
            pause_ms = min(pause_ms * 2, 20)
        return False

    def say(self, data):
        os.set_blocking(self.control, True)
        try:
            while data:
                data = data[os.write(self.control, data) :]
        except OSError:
            pass  # the daemon is gone
        os.set_blocking(self.control, False)


def _release_streams():
    """The script's pipes are the script's: a reader must see their end."""
    null = os.open(os.devnull, os.O_RDWR)
    for fd in range(3):
        os.dup2(null, fd)
    os.close(null)


def _send(pid, number):
    try:
        os.kill(pid, number)
    except OSError:
        pass


def _kill(pid):
    _send(pid, _signal.SIGKILL)


def _descendants(on_child=None):
    """The numbers of all descendants; `on_child` is told each child the moment it is seen."""
    me = os.getpid()
    unknown = _parents(me, on_child)
    found = {me}
    while True:
        more = {pid for pid, parent in unknown.items() if parent in found}
        if not more:
            found.discard(me)
            return found
        found |= more
        unknown = {pid: parent for pid, parent in unknown.items() if pid not in found}


def _listed_children():
    """The children of this process as the kernel lists them; none where it does not."""
    try:
        fd = os.open("/proc/self/task/%d/children" % os.getpid(), os.O_RDONLY)
    except OSError:
        return []  # it was built without CONFIG_PROC_CHILDREN (proc(5))
    try:
        return [int(pid) for pid in os.read(fd, 65536).split()]
    finally:
        os.close(fd)


def end_children(but):
    """Kill and collect every child of this process, and what they leave, but those named."""
    deadline = time.monotonic() + UNKILLABLE_SECONDS
    seen = 2  # one that hops from process to process may be missed once
    while seen and time.monotonic() < deadline:
        me = os.getpid()
        children = [pid for pid in _listed_children() if pid not in but] or [
            pid for pid, parent in _parents(me).items() if parent == me and pid not in but
        ]
        seen = 2 if children else seen - 1
        for pid in children:
            _kill(pid)
        for pid in children:
            try:
                os.waitpid(pid, 0)
            except ChildProcessError:
                pass


def _parents(me, on_child=None):
    """The parent of every process.

    From the newest on: the older a process, the less likely it is to be gone in a moment. Only
    some kernels have `/proc/PID/task/TID/children`.
    """
    try:
        pids = sorted((int(name) for name in os.listdir("/proc") if name.isdigit()), reverse=True)
    except OSError:
        return {}
    newest = pids[0] if pids else me
    parents = {}
    for pid in [*range(newest + AHEAD, newest, -1), *pids]:
        parents[pid] = _parent(pid)
        if parents[pid] == me and on_child is not None:
            on_child(pid)
    return parents


def _parent(pid):
    try:
        fd = os.open("/proc/%d/stat" % pid, os.O_RDONLY)
    except OSError:
        return -1
    try:
        # proc(5): the name stands in parentheses and may hold anything; then state and parent.
        return int(os.read(fd, 512).rpartition(b")")[2].split(None, 2)[1])
    except (OSError, ValueError, IndexError):
        return -1
    finally:
        os.close(fd)
