# The zygote: an interpreter that has started once and forks itself for every script.
#
#     python zygote.py SOCKET_FD [MODULE ...]
#
# Run by path on the user's Python, 3.8 or newer, never imported. Its modules are the standard
# library's and those that the user asked to preload; nothing of a project's. It has one thread,
# since a fork takes only one along. Each request, a message on the socket, brings the descriptors
# of an attempt; the zygote forks a process for it, which forks the script's and becomes its
# supervisor (birth.py). Where a fork would not be `python script.py` to the letter, that process
# becomes the plain interpreter on bootstrap.py, and the daemon need not know. A request without an
# attempt is for a supervisor that serves the daemon by itself from then on (spare.py).
#
# To the daemon:    {"failed": {MODULE: why}, "loaded": [NAME]}, once, when it is ready; NAME is one
#                   by which a script would import its own file, and not what is loaded here
# From the daemon:  marshalled (attempt, common, own): attempt is {"file", "argv0", "folder", "cwd",
#                   "environment"}, the others what the script may reach (confine.py); with the
#                   descriptors stdin, stdout, stderr, script, control and perhaps code, see
#                   bootstrap.py for these; or (None, common, [VARIABLE]) with control and requests,
#                   see spare.py
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
import time  # noqa: E402

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
#: An end that has been begun is waited for so long.
_END_SECONDS = 1.5


def _code(name):
    """A file of this folder, compiled; from what is kept of earlier starts where it can be: to
    compile takes time, and memory that is not given back."""
    loader = sys.modules["_frozen_importlib_external"].SourceFileLoader
    return loader(name[:-3], os.path.join(os.path.dirname(__file__), name)).get_code(name[:-3])


def _load(name):
    code = _code(name)
    names = {"__name__": name[:-3], "__file__": code.co_filename}
    exec(code, names)
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
        self.spare = _load("spare.py")
        self.reporter = _code("report.py")
        self.finish = _load("finish.py")
        # The first call of compile() takes a millisecond; here it is made once for all.
        self.nothing = marshal.dumps(compile("", "", "exec", 0, True))
        self.loaded = frozenset(sys.modules)
        #: By these names plain Python would import a file beside the script; ours are loaded.
        self.shadowable = {name.partition(".")[0] for name in set(sys.modules) - _PLAIN}
        self.socket = _socket.socket(fileno=socket)
        #: By supervisor: our copy of its end of the socket to the daemon. The daemon sees that a
        #: supervisor is gone when both are closed, hence not before its strays have been ended.
        self.controls = {}

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
        self.tell()
        prepared = None
        while prepared is None:
            ready = {fd for fd, _ in poll.poll()}
            if self.waking in ready:
                self.reap()
            if self.socket.fileno() in ready:
                prepared = self.take()
        return prepared

    def tell(self):
        ready = {"failed": self.failed, "loaded": sorted(self.shadowable)}
        self.socket.send(json.dumps(ready).encode())

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
                pid, status = os.waitpid(-1, os.WNOHANG)
        except ChildProcessError:
            pass
        if killed:
            self.supervisor["end_children"](but=self.controls)
        for control in ended:
            os.close(control)

    def take(self):
        """Take one request; None in the zygote."""
        message, fds = self.spare["receive"](self.socket)
        if not message:
            self.end()
        attempt, common, own = marshal.loads(message)  # noqa: S302 - the daemon's own
        confine.prepare(common)
        control = fds[0] if attempt is None else fds[4]
        try:
            pid = os.fork()
        except OSError as error:
            os.write(control, b"failed %d\n" % error.errno)
            pid = -1
        if pid == 0:
            if attempt is None:
                return self.become_spare(common, own, *fds)
            return self.become(attempt, common, own, *fds)
        for fd in fds:
            if fd != control or pid < 0:
                os.close(fd)
        if pid > 0:
            self.controls[pid] = control
        return None

    def end(self):
        """End, but not before those that nobody needs any more; the others are left alone."""
        poll = select.poll()
        for control in self.controls.values():
            poll.register(control, 0)
        hung_up = {fd for fd, _ in poll.poll(0)}
        ending = {pid for pid, control in self.controls.items() if control in hung_up}
        deadline = time.monotonic() + _END_SECONDS
        while ending & set(self.controls) and time.monotonic() < deadline:
            self.reap()
            select.select([self.waking], [], [], 0.01)
        os._exit(0)

    # --- becoming a script's process that was there before it ----------------------------------

    def become_spare(self, common, variables, control, requests):
        """In a new process, the supervisor to be; returns in a script's process only.

        `variables` are the names that its scripts' environments are likely to have.
        """
        try:
            _signal.set_wakeup_fd(-1)
            _signal.signal(_signal.SIGCHLD, _signal.SIG_DFL)
            _signal.signal(_signal.SIGINT, _signal.default_int_handler)
            self.socket.detach()  # closed with all others; its number may be another's
            message, fds, keep_view, report = self.spare["serve"](
                control,
                requests,
                self.birth,
                self.supervisor,
                lambda keep_view: self.rehearse(common, variables, keep_view),
            )
        except BaseException:
            os._exit(1)  # the daemon hears nothing any more
        try:
            attempt, own = marshal.loads(message)  # noqa: S302 - the daemon's own
            stdin, stdout, stderr, script, code = fds
            self.take_place(attempt, stdin, stdout, stderr)
            for fd in (stdin, stdout, stderr):
                os.close(fd)
            with open(script, "rb", 0) as stream:
                source = stream.read()
            program = self.program["compiled"](source, attempt["file"], code)
            names = self.set_up(attempt)
            return program, names, report, lambda: confine.enter(common, own, keep_view)
        except BaseException:
            # Memory or descriptors have run out, if anything; the supervisor tells of the end.
            sys.excepthook(*sys.exc_info())
            sys.stderr.flush()
            os._exit(1)

    def rehearse(self, common, variables, keep_view):
        """Do, to no effect, what an attempt will take: a page that is shared with another process
        is copied when it is written to first, by a counter of references too."""
        with open(os.devnull, "rb") as stream:
            stream.read()
        exec(marshal.loads(self.nothing), {})  # noqa: S302 - made here
        environment = {name: os.environ.get(name, "") for name in variables}
        self.take_place({"environment": environment, "cwd": "/"})
        # Done again, with the attempt's.
        self.set_up({"file": "", "argv0": "", "folder": "/"})
        confine.rehearse(common, keep_view)
        self.finish["rehearse"](self.loaded, gc.get_objects)

    # --- becoming a script's process -----------------------------------------------------------

    def become(self, attempt, common, own, *fds):
        """In a new process, the supervisor to be; returns in the script's process only."""
        try:
            return self.prepare(attempt, common, own, *fds)
        except BaseException as error:
            try:
                os.write(fds[4], b"failed %d\n" % (getattr(error, "errno", None) or 5))
            finally:
                os._exit(1)

    def prepare(self, attempt, common, own, stdin, stdout, stderr, script, control, code=-1):
        """Code, names of `__main__`, report, and what confines: in the script's process."""
        _signal.set_wakeup_fd(-1)
        _signal.signal(_signal.SIGCHLD, _signal.SIG_DFL)
        _signal.signal(_signal.SIGINT, _signal.default_int_handler)
        os.setsid()
        self.socket.detach()  # closed with all others; its number may be another's
        self.take_place(attempt, stdin, stdout, stderr)
        self.birth["close_all_but"](script, control, code)
        file, argv0, folder = attempt["file"], attempt["argv0"], attempt["folder"]
        with open(script, "rb", closefd=False) as stream:
            source = stream.read()
        program = None
        if not self.is_shadowed(folder):
            try:
                program = self.program["compiled"](source, file, code)
            except BaseException:
                code = -1  # closed; plain Python says what is wrong
        if program is None:
            policy = marshal.dumps((common, own), 2)
            self.start_plain(script, code, control, policy, file, argv0, folder)
        os.close(script)
        report = self.birth["fork_supervised"](control, self.supervisor["supervise"])
        return program, self.set_up(attempt), report, lambda: confine.enter(common, own)

    def take_place(self, attempt, *streams):
        """Take over an attempt's streams, environment and folder."""
        for number, fd in enumerate(streams):
            os.dup2(fd, number)
        wanted = attempt["environment"]
        if list(os.environ) != list(wanted):  # their order is to be plain Python's too
            os.environ.clear()
        for name, value in wanted.items():
            if os.environ.get(name) != value:
                os.environ[name] = value
        os.chdir(attempt["cwd"])

    def set_up(self, attempt):
        """The names of `__main__`."""
        numpy_random = sys.modules.get("numpy.random")
        if numpy_random is not None:
            numpy_random.seed()  # `random` does so by itself
        return self.program["set_up"](
            globals(), attempt["file"], attempt["argv0"], attempt["folder"]
        )

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
