# Runs one script the way `python script.py` would, from a descriptor that is already open.
#
#     python bootstrap.py SCRIPT_FD CODE_FD CONTROL_FD REPORT_FD POLICY_FD FILE ARGV0
#                         FOLDER
#
# Run by path on the user's Python, 3.8 or newer, never imported. The source comes from SCRIPT_FD;
# FILE, its path, only names it (`__file__`, tracebacks), so that what runs is what was checked.
# CODE_FD (or -1) holds the compiled script from an earlier start, or is empty and gets it.
# CONTROL_FD leads to the daemon. Without a REPORT_FD (-1) this process forks the script's and
# becomes its supervisor (birth.py, Linux). With one, a file, the script runs in this process and
# leaves there the description of the exception that ends it (guard.py, other systems).
#
# POLICY_FD (or -1) holds what the script may reach (confine.py).
#
# All that is loaded before the script runs is compiled at every start: these files are short, and
# what is needed only now and then lies in files of its own. (confine.py is long: it is imported, so
# that its compiled form is kept.)
import os
import sys


def _read(name):
    with open(os.path.join(os.path.dirname(__file__), name), "rb") as stream:
        return stream.read()


def _load(name):
    names = {"__name__": name[:-3], "__file__": os.path.join(os.path.dirname(__file__), name)}
    exec(compile(_read(name), names["__file__"], "exec", 0, True), names)
    return names


def _confinement(policy):
    """What shuts this process in. Called while this folder is still on the path."""
    if policy < 0:
        return lambda: None
    import confine

    del sys.modules["confine"]
    with open(policy, "rb", 0) as stream:
        text = stream.read()
    import marshal  # built in

    return lambda: confine.enter(*marshal.loads(text))  # noqa: S302 - the daemon's own


def _prepare(script, code, control, report, policy, file, argv0, folder):
    if int(report) < 0:
        report = _load("birth.py")["fork_supervised"](
            int(control), lambda *all: _load("supervisor.py")["supervise"](*all)
        )
    else:
        script, report = _load("guard.py")["guarded"](int(script), int(control), int(report))
    confine = _confinement(int(policy))
    program = _load("program.py")
    with open(int(script), "rb") as stream:
        source = stream.read()
    reporter = _read("report.py")
    names = program["set_up"](globals(), file, argv0, folder)
    error = code_object = None
    try:
        code_object = program["compiled"](source, file, int(code))
    except BaseException as caught:
        error = caught.with_traceback(None)  # it has no frame of the script's
    return code_object, names, error, reporter, report, confine


_program, _names, _error, _reporter, _report, _confine = _prepare(*sys.argv[1:])
_pid = os.getpid()
# All files are open or read, nothing of the user's has run.
if _error is None:
    try:
        _confine()
        exec(_program, _names)
    except SystemExit:
        raise
    except BaseException as error:
        _error = error
if _error is not None:
    # Outside the handler, so that sys.exc_info() is empty for the script's excepthook.
    _scope = {}
    exec(_reporter, _scope)
    _scope["end"](_error, _report, _pid)
