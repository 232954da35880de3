# The end of a script's process that was forked by the zygote.
#
# A complete finalisation touches, hence copies, all memory shared with the zygote: 3 to 7 ms. What
# can be noticed of it is done here one by one, in its order (Py_FinalizeEx): threads are waited
# for, `atexit` runs, the streams are flushed. What is left is the end of the objects. If one of
# those that the script has made could notice its own, the interpreter finalises as always.
import os
import sys
import weakref

_had_atexit = "atexit" in sys.modules
import atexit  # noqa: E402

if not _had_atexit:
    del sys.modules["atexit"]  # the script is to find loaded what plain Python has loaded

_HAS_GC = 1 << 14  # Py_TPFLAGS_HAVE_GC
_LIBRARY = os.path.dirname(os.__file__) + os.sep
#: Packages beside the library's own modules; on Debian and others under the second name.
_PACKAGES = (_LIBRARY + "site-packages" + os.sep, _LIBRARY + "dist-packages" + os.sep)


def leave(code, loaded, objects):
    """End the process with `code`, as of SystemExit; returns when the interpreter has to do it.

    `loaded` are the modules that the zygote had loaded; `objects()` gives all that exist only
    since the fork.
    """
    if code is None:
        code = 0
    if type(code) is not int or not 0 <= code <= 255:
        return
    threading = sys.modules.get("threading")
    if threading is not None:
        threading._shutdown()
    try:
        atexit._run_exitfuncs()
    except BaseException:  # noqa: S110  # Python 3.8 and 3.9 raise what they have printed
        pass
    # The first ones too, which end with the interpreter whatever stands in their place.
    streams = [
        getattr(sys, name, None) for name in ("stdout", "stderr", "__stdout__", "__stderr__")
    ]
    for stream in streams:
        try:
            if stream is not None and not stream.closed:
                stream.flush()
        except BaseException:
            return
    if not (_has_foreign_code(loaded) or _has_finalisers(objects())):
        os._exit(code)


def rehearse(loaded, objects):
    """Look at all that `leave` looks at."""
    for stream in (sys.stdout, sys.stderr):
        if stream is not None:
            stream.flush()
    return _has_foreign_code(loaded) or _has_finalisers(objects())


def _has_foreign_code(loaded):
    """Whether machine code came in that may do something of its own at the end."""
    for name, module in list(sys.modules.items()):
        if name not in loaded:
            file = getattr(module, "__file__", None)
            if name == "ctypes" or (
                isinstance(file, str) and file.endswith((".so", ".dylib")) and not _is_library(file)
            ):
                return True
    return False


def _has_finalisers(objects):
    kinds = set()
    for thing in objects:
        kind = type(thing)
        kinds.add(kind)
        # Objects without anything to collect in them are not among `objects`; their class is.
        if kind is type and not thing.__flags__ & _HAS_GC and hasattr(thing, "__del__"):
            return True
        if isinstance(thing, weakref.ref) and _is_noticed(thing.__callback__):
            return True
    return any(hasattr(kind, "__del__") for kind in kinds)


def _is_noticed(callback):
    """Whether a weak reference's callback is somebody's who is not the library."""
    if getattr(callback, "__name__", None) == "_destroy" and not callback.__module__:
        return False  # the registries of abstract classes, in C
    module = sys.modules.get(getattr(callback, "__module__", None) or "")
    file = getattr(module, "__file__", None)
    return callback is not None and not (isinstance(file, str) and _is_library(file))


def _is_library(file):
    return file.startswith(_LIBRARY) and not file.startswith(_PACKAGES)
