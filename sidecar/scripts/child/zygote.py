# The zygote: an interpreter that has started once and forks itself for every script.
#
#     python zygote.py SOCKET_FD [MODULE ...]
#
# Run by path on the user's Python, 3.8 or newer, never imported. Its modules are the standard
# library's and those that the user asked to preload; nothing of a project's. It has one thread,
# since a fork takes only one along. Each request, a message on the socket, brings the descriptors
# of an attempt; the zygote forks a process for it, which forks the script's and becomes its
# supervisor (birth.py); or, for a script that has run before, it takes the two that it has forked
# ahead (spare.py). Where a fork would not be `python script.py` to the letter, that process
# becomes the plain interpreter on bootstrap.py, and the daemon need not know.
#
# To the daemon:    {"failed": {MODULE: why}}, once, when it is ready
# From the daemon:  {"file", "argv0", "folder", "cwd", "environment"}, a line end, and what the
#                   script may reach (confine.py); with the descriptors stdin, stdout, stderr,
#                   script, control and perhaps code; see bootstrap.py for these
# It ends when the socket does. At the module's end it is the script's process, one frame below.
import sys

_PLAIN = frozenset(sys.modules)  # what a script finds loaded when it starts

import _signal  # noqa: E402
import _socket  # noqa: E402
import gc  # noqa: E402
import json  # noqa: E402
import marshal  # noqa: E402
import mmap  # noqa: E402, F401  # birth.py's
import os  # noqa: E402
import select  # noqa: E402

import confine  # noqa: E402

del sys.modules["confine"]  # a script may have one of that name

#: What scripts use most, as far as it is small: the zygote stays below 12 MB, and every page is a
#: cost of every fork.
_MODULES = (
    "collections",
    "contextlib",
    "datetime",
    "functools",
    "json",
    "math",
    "pathlib",
    "re",
    "time",
    "typing",
)
#: A larger folder is not searched for files that shadow a module.
_MAX_FOLDER_ENTRIES = 5000
#: A request that is none.
_REHEARSAL = b'{"file": "", "argv0": "", "folder": "/", "cwd": "/", "environment": {"A": "b"}}'
#: Two processes that nobody has needed for so long go.
_SPARE_SECONDS = 60


def _load(name):
    path = os.path.join(os.path.dirname(__file__), name)
    with open(path, "rb") as stream:
        source = stream.read()
    names = {"__name__": name[:-3], "__file__": path}
    exec(compile(source, path, "exec", 0, True), names)
    return names


class _Zygote:
    def __init__(self, socket, modules):
        os.chdir("/")
        self.failed = {}
        for name in [*_MODULES, *modules]:
            try:
                __import__(name)
            except BaseException as error:
                self.failed[name] = "%s: %s" % (type(error).__name__, error)
        self.program = _load("program.py")
        self.birth = _load("birth.py")
        self.supervisor = _load("supervisor.py")
        self.ahead = _load("spare.py")
        self.spare = None
        with open(os.path.join(os.path.dirname(__file__), "report.py"), "rb") as stream:
            self.reporter = compile(stream.read(), stream.name, "exec", 0, True)
        self.finish = _load("finish.py")
        self.loaded = frozenset(sys.modules)
        #: By these names plain Python would import a file beside the script; ours are loaded.
        self.shadowable = {name.partition(".")[0] for name in set(sys.modules) - _PLAIN}
        self.socket = _socket.socket(fileno=socket)
        #: By supervisor: our copy of its end of the socket to the daemon. The daemon sees that a
        #: supervisor is gone when both are closed, hence not before its strays have been ended.
        self.controls = {}
        #: The last attempt's policy, but for what that attempt alone was allowed.
        self.policy = None

    def serve(self):
        """Fork for every request; returns in a script's process only."""
        self.waking, woken = os.pipe()
        for fd in (self.waking, woken):
            os.set_blocking(fd, False)
        _signal.signal(_signal.SIGINT, _signal.SIG_IGN)
        _signal.signal(_signal.SIGCHLD, lambda *_: None)
        _signal.set_wakeup_fd(woken, warn_on_full_buffer=False)
        self.birth["become_subreaper"]()
        poll = select.poll()
        poll.register(self.socket.fileno(), select.POLLIN)
        poll.register(self.waking, select.POLLIN)
        # What a module has printed while it was loaded is not to come out of a script.
        sys.stdout.flush()
        sys.stderr.flush()
        gc.collect()
        # Nothing that is here now is looked at, and its memory copied, when a child collects.
        gc.freeze()
        prepared = self.fork_ahead()
        if prepared is None:
            self.socket.send(json.dumps({"failed": self.failed}).encode())
        while prepared is None:
            ready = {fd for fd, _ in poll.poll(self.spare and _SPARE_SECONDS * 1000)}
            if not ready:
                self.drop_spare()
            if self.waking in ready:
                self.reap()
            if self.socket.fileno() in ready:
                prepared = self.take()
                if prepared is None:
                    prepared = self.fork_ahead()
        return prepared

    def reap(self):
        """Collect supervisors, and what one that was killed has left to us, its subreaper."""
        try:
            os.read(self.waking, 4096)
        except BlockingIOError:
            pass
        ended, killed = [], False
        try:
            pid, status = os.waitpid(-1, os.WNOHANG)
            while pid:
                if pid in self.controls:
                    ended.append(self.controls.pop(pid))
                    killed = killed or status != 0
                elif self.spare is not None and pid == self.spare.pid:
                    self.spare.close()
                    self.spare = None
                pid, status = os.waitpid(-1, os.WNOHANG)
        except ChildProcessError:
            pass
        if killed:
            spared = set(self.controls) | ({self.spare.pid} if self.spare else set())
            self.supervisor["end_children"](but=spared)
        for control in ended:
            os.close(control)

    def take(self):
        """Take one request; None in the zygote."""
        message, fds = self.ahead["receive"](self.socket)
        if not message:
            self.end()
        control = fds[4]
        self.prepare_confinement(message)
        pid = self.give_to_spare(message, fds)
        if pid is None:
            try:
                pid = os.fork()
            except OSError as error:
                os.write(control, b"failed %d\n" % error.errno)
                pid = -1
        if pid == 0:
            return self.become(message, *fds)
        for fd in fds:
            if fd != control or pid < 0:
                os.close(fd)
        if pid > 0:
            self.controls[pid] = control
        self.remember(message)
        return None

    def end(self):
        """End, and have nothing left that waits."""
        if self.spare is not None:
            self.drop_spare()
            self.supervisor["end_children"](but=self.controls)
        os._exit(0)

    # --- what is forked ahead ------------------------------------------------------------------

    def fork_ahead(self):
        """Have a spare again, unless there is one; None in the zygote."""
        if self.spare is None:
            try:
                forked = self.ahead["fork_ahead"](
                    self.birth, self.supervisor["supervise"], self.rehearse
                )
            except OSError:
                return None  # the next request is told, if it is so then
            if not isinstance(forked, self.ahead["Spare"]):
                return self.serve_ahead(*forked)
            self.spare = forked
            self.is_shadowed(json.loads(_REHEARSAL)["folder"])  # as in `rehearse`
        return None

    def rehearse(self):
        """Do, to no effect, what a request will take: a page that is shared with the zygote is
        copied when it is written to first, by a counter of references too."""
        request = json.loads(_REHEARSAL)
        environment = dict(os.environ)
        os.environ.clear()
        os.environ.update(environment)
        with open(os.devnull, "rb") as stream:
            code = marshal.dumps(compile(stream.read(), "", "exec", 0, True))
        exec(marshal.loads(code), {})  # noqa: S302 - made just now
        # Done again, with the request's.
        self.program["set_up"](globals(), request["file"], request["argv0"], request["folder"])
        if self.policy is not None:
            confine.rehearse(self.policy)
        self.finish["rehearse"](self.loaded, gc.get_objects)

    def give_to_spare(self, message, fds):
        """The number of the supervisor that serves the request now, or None."""
        # With its code, a script that has been compiled by a plain start and needs no other.
        if self.spare is None or len(fds) < 6 or not os.fstat(fds[5]).st_size:
            return None
        if self.is_shadowed(json.loads(message.partition(b"\n")[0])["folder"]):
            return None
        spare = self.spare
        try:
            spare.give(message, *fds)
        except OSError:  # one of the two was killed
            self.drop_spare()
            return None
        self.spare = None
        return spare.pid

    def drop_spare(self):
        """Let it go; its end is noticed like any other's."""
        if self.spare is not None:
            self.spare.end()
            self.spare = None

    def serve_ahead(self, message, descriptors, report, kept):
        """What `prepare` gives, in the script's process that was forked ahead."""
        try:
            stdin, stdout, stderr, script, code = descriptors
            request, _, policy = message.partition(b"\n")
            request = json.loads(request)
            self.take_place(request, stdin, stdout, stderr)
            for fd in (stdin, stdout, stderr):
                os.close(fd)
            with open(script, "rb") as stream:
                source = stream.read()
            program = self.program["compiled"](source, request["file"], code)
            return self.set_up(program, request, policy, report, kept)
        except BaseException:
            # Memory or descriptors have run out, if anything; the supervisor tells of the end.
            sys.excepthook(*sys.exc_info())
            sys.stderr.flush()
            os._exit(1)

    def remember(self, message):
        """The next attempt's policy is likely to be as this one's."""
        policy = marshal.loads(message.partition(b"\n")[2])  # noqa: S302 - the daemon's own
        self.policy = dict(policy, own_rules=[])

    # --- becoming a script's process -----------------------------------------------------------

    def prepare_confinement(self, message):
        """Once: what every script's process would find out again."""
        if self.policy is None:
            self.drop_spare()  # it would find it out again
            self.remember(message)
            policy = self.policy
            if policy["level"] != "off":
                # Not by the rules of this script: another's may be fewer.
                confine.prepare(marshal.dumps(dict(policy, rules=[])))

    def become(self, message, *fds):
        """In a new process, the supervisor to be; returns in the script's process only."""
        try:
            request, _, policy = message.partition(b"\n")
            return self.prepare(json.loads(request), policy, *fds)
        except BaseException as error:
            try:
                os.write(fds[4], b"failed %d\n" % (getattr(error, "errno", None) or 5))
            finally:
                os._exit(1)

    def prepare(self, request, policy, stdin, stdout, stderr, script, control, code=-1):
        """Code, names of `__main__`, report, and what confines: in the script's process."""
        _signal.set_wakeup_fd(-1)
        _signal.signal(_signal.SIGCHLD, _signal.SIG_DFL)
        _signal.signal(_signal.SIGINT, _signal.default_int_handler)
        os.setsid()
        self.take_place(request, stdin, stdout, stderr)
        self.birth["close_all_but"](script, control, code)
        file, argv0, folder = request["file"], request["argv0"], request["folder"]
        with open(script, "rb", closefd=False) as stream:
            source = stream.read()
        program = None
        if not self.is_shadowed(folder):
            try:
                program = self.program["compiled"](source, file, code)
            except BaseException:
                code = -1  # closed; plain Python says what is wrong
        if program is None:
            self.start_plain(script, code, control, policy, file, argv0, folder)
        os.close(script)
        report = self.birth["fork_supervised"](control, self.supervisor["supervise"])
        return self.set_up(program, request, policy, report)

    def take_place(self, request, *streams):
        """Take over an attempt's streams, environment and folder."""
        # Their numbers may be others' by the time that these objects go.
        for end in (self.socket, *(self.spare.sockets if self.spare else ())):
            end.detach()
        for number, fd in enumerate(streams):
            os.dup2(fd, number)
        os.environ.clear()
        os.environ.update(request["environment"])
        os.chdir(request["cwd"])

    def set_up(self, program, request, policy, report, kept=None):
        """See `prepare`."""
        numpy_random = sys.modules.get("numpy.random")
        if numpy_random is not None:
            numpy_random.seed()  # `random` does so by itself
        names = self.program["set_up"](
            globals(), request["file"], request["argv0"], request["folder"]
        )
        # What this holds lives as long as the script, so it holds nothing of the zygote's.
        keep_view = None if kept is None else self.ahead["keeper"](kept)
        return program, names, report, lambda: confine.enter(policy, keep_view)

    def is_shadowed(self, folder):
        """Whether a file beside the script may be named like a module that we have loaded."""
        try:
            with os.scandir(folder) as entries:
                for count, entry in enumerate(entries):
                    name = entry.name.partition(".")[0]
                    if count > _MAX_FOLDER_ENTRIES or name in self.shadowable:
                        return True
        except OSError:
            return True  # gone, or not to be read: who knows
        return False

    def start_plain(self, script, code, control, policy, *names):
        """Become the interpreter that plain spawn starts; does not return."""
        os.lseek(script, 0, os.SEEK_SET)
        policy_fd, writing = os.pipe()
        os.write(writing, policy)
        os.close(writing)
        numbers = [script, code, control, -1, policy_fd]
        for fd in numbers:
            if fd >= 0:
                os.set_inheritable(fd, True)
        bootstrap = os.path.join(os.path.dirname(__file__), "bootstrap.py")
        command = [sys.executable, bootstrap, *map(str, numbers), *names]
        os.execv(sys.executable, command)  # noqa: S606


_zygote = _Zygote(int(sys.argv[1]), sys.argv[2:])
_program, _names, _report, _confine = _zygote.serve()
_reporter, _leave, _loaded = _zygote.reporter, _zygote.finish["leave"], _zygote.loaded
_pid = os.getpid()
_error = _code = None
del _zygote
# All files are read, nothing of the user's has run.
try:
    _confine()
    exec(_program, _names)
except SystemExit as error:
    _code = error.code
except BaseException as error:
    _error = error
if _error is not None:
    # Outside the handler, so that sys.exc_info() is empty for the script's excepthook.
    _scope = {}
    exec(_reporter, _scope)
    try:
        _scope["end"](_error, _report, _pid)
    except SystemExit as error:
        _code = error.code
    del _error, _scope
_leave(_code, _loaded, gc.get_objects)
# What the zygote had holds on to nothing any more that the script has made.
del _program, _names
gc.unfreeze()
raise SystemExit(_code)
