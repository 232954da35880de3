# The script as a program: what `python script.py` sets up before its first line, and its code.
#
# Run by bootstrap.py and in the zygote, which execute the code themselves, so that below the
# script's own frame there is exactly one more. It imports only what every interpreter has loaded
# by itself: a file beside the script may be named like any other module.
#
# What differs from `python script.py`: that frame (`inspect.stack()`); the streams are UTF-8 in
# every locale; and Python 3.8 does as all later ones do: `__file__` is absolute, and stderr is
# written line by line, so that it can be seen while the script runs.
import sys


def set_up(runner, file, argv0, folder):
    """The names of a new `__main__`; `runner` are those of the module that stands there now."""
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
    main.__loader__ = runner["__loader__"]
    main.__loader__.path = file
    if "__annotations__" in runner:
        main.__annotations__ = {}
    main.__builtins__ = runner["__builtins__"]
    main.__file__ = file
    main.__cached__ = None
    sys.modules["__main__"] = main
    return main.__dict__


def compiled(source, file, code):
    """The code object; `code` (or -1) is a file that holds it from an earlier start, or gets it.

    Raises what compile() raises.
    """
    if code < 0:
        return _compile(source, file)
    import marshal  # built in, so nothing beside the script can shadow it

    magic = sys.modules["_frozen_importlib_external"].MAGIC_NUMBER
    with open(code, "r+b", 0) as stream:
        kept = stream.read()
        if kept[: len(magic)] == magic:
            # Written by this interpreter from these very bytes, kept in the daemon's memory since.
            return marshal.loads(kept[len(magic) :])  # noqa: S302
        stderr, sys.stderr = sys.stderr, _Watched(sys.stderr)
        try:
            program = _compile(source, file)
            quiet = sys.stderr.quiet
        finally:
            sys.stderr = stderr
        # A warning of the compiler's is to be seen at every start.
        if quiet:
            stream.write(magic + marshal.dumps(program))
    return program


def _compile(source, file):
    # compile() lets bytes pass in a comment that the interpreter would not read in a file (PEP
    # 263); it may be what makes a script's author notice a file that was damaged.
    try:
        source.decode()
    except UnicodeDecodeError as error:
        head = source.split(b"\n", 2)[:2]
        if not any(b"coding:" in line or b"coding=" in line for line in head):
            line = source.count(b"\n", 0, error.start) + 1
            raise SyntaxError(
                "Non-UTF-8 code starting with '\\x%02x' in file %s on line %d, but no encoding "
                "declared; see https://peps.python.org/pep-0263/ for details"
                % (source[error.start], file, line)
            ) from None
    return compile(source, file, "exec", 0, True)


class _Watched:
    """A stream that knows whether something was written."""

    def __init__(self, stream):
        self.stream = stream
        self.quiet = True

    def write(self, text):
        self.quiet = False
        return self.stream.write(text)

    def __getattr__(self, name):
        return getattr(self.stream, name)
