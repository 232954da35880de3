# What happens when an exception ends a script; read by bootstrap.py, run only then.
#
# It does what the interpreter does (sys.last_*, sys.excepthook, the exit status) with the
# bootstrap's own frame taken off the traceback, after describing the exception in the report.
# It imports only what every interpreter has loaded: a file beside the script may be named like a
# module of the standard library.
#
# The report lies in memory shared with the supervisor, four bytes of length (little-endian) before
# it, or in a file. It is UTF-8 and four fields, each ended by a NUL: the class name; the names of
# its bases, nearest first and without object, joined by commas; the message; the traceback as
# printed.
import io
import os
import sys

NAME_CHARACTERS = 200
BASES = 64
TEXT_CHARACTERS = 64 * 1024


def end(error, report, pid):
    """Report the exception, show it, and leave the way the interpreter would.

    `report` is the shared memory, or the file's descriptor, device and inode; `pid` the script's
    own process.
    """
    if error.__traceback__ is not None:
        error.__traceback__ = error.__traceback__.tb_next
    kind, trace = type(error), error.__traceback__
    sys.last_type, sys.last_value, sys.last_traceback = kind, error, trace
    if sys.version_info >= (3, 12):
        sys.last_exc = error
    shown = _as_printed(error)
    _report(error, shown, report, pid)
    hook = getattr(sys, "excepthook", None)
    if hook is None:
        _print("sys.excepthook is missing\n" + shown)
    elif hook is sys.__excepthook__:
        _print(shown)
    else:
        _call(hook, error, shown)
    if kind is KeyboardInterrupt:
        # Only the interpreter itself can die of SIGINT after a proper finalisation.
        sys.excepthook = _silent
        raise KeyboardInterrupt
    raise SystemExit(1)


def _silent(*_):
    pass


def _as_printed(error):
    """The interpreter's own rendering: whatever it prints in this version, chains and groups."""
    stream, sys.stderr = sys.stderr, io.StringIO()
    try:
        sys.__excepthook__(type(error), error, error.__traceback__)
        return sys.stderr.getvalue()
    finally:
        sys.stderr = stream


def _print(text):
    try:
        sys.stderr.write(text)
        sys.stderr.flush()
    except Exception:  # noqa: S110  # closed or replaced by the script; Python is silent too
        pass


def _call(hook, error, shown):
    try:
        hook(type(error), error, error.__traceback__)
    except SystemExit:
        raise
    except BaseException as second:
        second.__traceback__ = second.__traceback__.tb_next
        _print("Error in sys.excepthook:\n" + _as_printed(second))
        _print("\nOriginal exception was:\n" + shown)


def _report(error, shown, report, pid):
    # A forked child of the script comes by here too; how it ends is not how the script ends.
    if os.getpid() != pid:
        return
    try:
        message = str(error)
    except BaseException:
        message = "<exception str() failed>"
    names = [base.__name__[:NAME_CHARACTERS] for base in type(error).__mro__[:-1]]
    fields = (names[0], ",".join(names[1:BASES]), _cut(message), _cut(shown))
    data = b"".join(
        field.replace("\0", "\\x00").encode("utf-8", "backslashreplace") + b"\0" for field in fields
    )
    if not isinstance(report, tuple):
        report[: 4 + len(data)] = len(data).to_bytes(4, "little") + data
        return
    try:
        status = os.fstat(report[0])
        # The script may have closed the descriptor, and have a file of its own there by now.
        if (status.st_dev, status.st_ino) == report[1:]:
            os.write(report[0], data)
    except OSError:
        pass


def _cut(text):
    left_out = len(text) - TEXT_CHARACTERS
    if left_out <= 0:
        return text
    half = TEXT_CHARACTERS // 2
    return "%s\n[\u2026 %d characters left out \u2026]\n%s" % (text[:half], left_out, text[-half:])
