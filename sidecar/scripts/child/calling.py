# Calls the C library and the kernel on the user's Python, 3.8 or newer, without `ctypes`: of that
# only the part in C is imported, since the rest takes an interpreter milliseconds. It knows no
# call's meaning.
import os
import sys

try:
    _had_ctypes = "_ctypes" in sys.modules
    import _ctypes

    # The script is to find loaded what plain Python has loaded.
    if not _had_ctypes:
        del sys.modules["_ctypes"]
except ImportError:
    _ctypes = None

#: False on a Python that was built without libffi; then nothing below may be called.
AVAILABLE = _ctypes is not None

if _ctypes is not None:

    class _Long(_ctypes._SimpleCData):
        _type_ = "l"

    class Pointer(_ctypes._SimpleCData):
        _type_ = "z"

    class _Byte(_ctypes._SimpleCData):
        _type_ = "c"

    class Buffer(_ctypes.Array):
        """Room for what a function writes; `bytes()` of it is what it wrote."""

        _type_ = _Byte
        _length_ = 24

    class _Function(_ctypes.CFuncPtr):
        _flags_ = _ctypes.FUNCFLAG_CDECL | _ctypes.FUNCFLAG_USE_ERRNO
        _restype_ = _Long


_functions = {}


def function(name):
    """A function of the C library, looked up once."""
    if name not in _functions:
        _functions[name] = _Function(_ctypes.dlsym(_ctypes.dlopen(None, os.RTLD_NOW), name))
    return _functions[name]


def call(name, *arguments):
    """A function of the C library: integers, bytes and None in, an int out. Raises OSError."""
    result = function(name)(*[_Long(a) if type(a) is int else a for a in arguments])
    # Of an int, a long has only the lower half.
    result &= 0xFFFFFFFF
    if result == 0xFFFFFFFF:
        number = _ctypes.get_errno()
        raise OSError(number, "%s: %s" % (name, os.strerror(number)))
    return result


def syscall(number, *arguments):
    return call("syscall", number, *(arguments + (0,) * (5 - len(arguments))))


def words(*values):
    """64-bit fields of a structure."""
    return b"".join((value & (2**64 - 1)).to_bytes(8, sys.byteorder) for value in values)


def write(path, text):
    """Into a file of the kernel's, in one piece. Raises OSError."""
    fd = os.open(path, os.O_WRONLY)
    try:
        os.write(fd, text.encode())
    finally:
        os.close(fd)
