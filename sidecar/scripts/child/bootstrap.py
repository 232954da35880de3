# Runs one script the way `python script.py` would, from a descriptor that is already open.
#
#     python bootstrap.py SCRIPT_FD REPORT_FD CODE_FD FILE ARGV0 FOLDER
#
# Run by path on the user's Python, 3.8 or newer, never imported. The source comes from SCRIPT_FD;
# FILE, its path, only names it (`__file__`, tracebacks), so that what runs is what was checked.
# CODE_FD (or -1) holds the compiled script from an earlier start, or is empty and gets it.
# An exception that ends the script is described in REPORT_FD, a file, by report.py. This file is
# compiled at every start: it is short, imports only what the interpreter has loaded by itself
# (`os`, through `site`), and leaves all else to report.py, which is read now, since a script may
# have used up all descriptors when it fails, and compiled only then.
#
# What differs from `python script.py`: one more frame below the script's (`inspect.stack()`);
# the streams are UTF-8 in every locale; and Python 3.8 does as all later ones do: `__file__` is
# absolute, and stderr is written line by line, so that it can be seen while the script runs.
import os
import sys


def _prepare(arguments):
    script, report = int(arguments[0]), int(arguments[1])
    if os.name == "nt":
        import msvcrt

        script = msvcrt.open_osfhandle(script, os.O_RDONLY)
        report = msvcrt.open_osfhandle(report, os.O_RDWR)
    else:
        os.set_inheritable(report, False)
    with open(script, "rb") as stream:
        source = stream.read()
    with open(os.path.join(os.path.dirname(__file__), "report.py"), "rb") as stream:
        reporter = stream.read()
    code, file, argv0, folder = int(arguments[2]), *arguments[3:]

    for stream in (sys.stdin, sys.stdout, sys.stderr):
        if stream is not None and stream.encoding.lower() not in ("utf-8", "utf8"):
            stream.reconfigure(encoding="utf-8")
    if sys.stderr is not None and not sys.stderr.line_buffering:
        sys.stderr.reconfigure(line_buffering=True)
    sys.argv[:] = [argv0]
    if hasattr(sys, "orig_argv"):
        sys.orig_argv[1:] = [argv0]
    if not (sys.flags.isolated or getattr(sys.flags, "safe_path", False)):
        sys.path[0] = folder
    main = type(sys)("__main__")
    main.__loader__ = __loader__
    __loader__.path = file
    if "__annotations__" in globals():
        main.__annotations__ = {}
    main.__builtins__ = __builtins__
    main.__file__ = file
    main.__cached__ = None
    sys.modules["__main__"] = main
    status = os.fstat(report)
    identity = (report, status.st_dev, status.st_ino, os.getpid())
    return source, file, code, main.__dict__, reporter, identity


def _known(fd):
    import marshal  # built in, so nothing beside the script can shadow it

    magic = sys.modules["_frozen_importlib_external"].MAGIC_NUMBER
    kept = os.read(fd, os.fstat(fd).st_size)
    # Written by this interpreter from these very bytes, and kept in the sidecar's memory since.
    return marshal.loads(kept[len(magic) :]) if kept[: len(magic)] == magic else None  # noqa: S302


def _keep(code, fd):
    import marshal

    with open(fd, "wb", 0) as stream:
        stream.write(sys.modules["_frozen_importlib_external"].MAGIC_NUMBER + marshal.dumps(code))


_source, _file, _code, _names, _reporter, _identity = _prepare(sys.argv[1:])
_program = _known(_code) if _code >= 0 else None
_error = None
try:
    if _program is None:
        _program = compile(_source, _file, "exec", 0, True)
        if _code >= 0:
            _keep(_program, _code)
    else:
        os.close(_code)
    exec(_program, _names)
except SystemExit:
    raise
except BaseException as error:
    _error = error
if _error is not None:
    # Outside the handler, so that sys.exc_info() is empty for the script's excepthook.
    _scope = {}
    exec(_reporter, _scope)
    _scope["end"](_error, _identity)
