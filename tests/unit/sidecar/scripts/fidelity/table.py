"""Odd scripts: the table that every launcher is held against plain Python by.

A script's output must not vary from run to run. Whatever is odd about it stands in its name.
"""

import textwrap
from dataclasses import dataclass


@dataclass(frozen=True)
class Script:
    """A script and the files that lie beside it, by name."""

    source: str
    beside: dict[str, str]
    oldest: tuple[int, int] = (3, 8)
    """The first Python that has what it is about."""


SCRIPTS: dict[str, Script] = {}


def script(name: str, source: str, oldest: tuple[int, int] = (3, 8), **beside: str) -> None:
    """Add one; `beside` are modules, by name."""
    if name in SCRIPTS:
        raise ValueError(f"two scripts are called {name}")
    files = {f"{module}.py": textwrap.dedent(text) for module, text in beside.items()}
    SCRIPTS[name] = Script(textwrap.dedent(source), files, oldest)


script("nothing at all", "")
script(
    "what main is",
    """
    import json, sys
    main = sys.modules["__main__"]
    print(json.dumps({
        "names": sorted(vars(main)), "name": __name__, "file": __file__, "doc": __doc__,
        "spec": repr(__spec__), "package": repr(__package__), "cached": __cached__,
        "argv": sys.argv, "orig_argv": getattr(sys, "orig_argv", [])[1:],
        "path": sys.path, "flags": str(sys.flags), "same": vars(main) is globals(),
        "builtins": repr(__builtins__), "loader": type(__loader__).__name__,
        "loader_path": __loader__.path, "hook": sys.excepthook is sys.__excepthook__,
        "annotations": __annotations__,
    }))
    """,
)
script("a docstring", '"""Words."""\nimport json\nprint(json.dumps({"doc": __doc__}))')
script("reads stdin", "import json, sys\nprint(json.dumps(json.load(sys.stdin)))")
script("stdin is at its end", "import sys\nsys.stdin.read()\nprint(repr(sys.stdin.read()))")
script(
    "imports beside itself",
    'import helper, json\nprint(json.dumps({"v": helper.VALUE, "f": helper.__file__}))',
    helper="VALUE = 7",
)
script(
    "shadows the standard library",
    "import colorsys\nprint(colorsys.MINE)",
    colorsys="MINE = 'shadow'",
)
script(
    "a json.py beside it",
    "import sys\nprint('fine')",
    json="raise SystemExit('imported')",
    sitecustomize="raise SystemExit('imported')",
    report="raise SystemExit('imported')",
    traceback="raise SystemExit('imported')",
)
script("raises", "def f(x):\n    return 1 / x\n\nf(0)")
script("raises beside a traceback.py", "raise ValueError('v')", io="1/0", textwrap="1/0")
script(
    "raises in a helper", "import helper\nhelper.f()", helper="def f():\n    raise KeyError('k')"
)
script(
    "raises a chain",
    """
    try:
        try:
            {}["a"]
        except KeyError as e:
            raise ValueError("bad value") from e
    except ValueError:
        raise RuntimeError("during")
    """,
)
script("raises a group", "raise ExceptionGroup('many', [ValueError('a'), KeyError('b')])")
script("raises without a message", "raise ValueError")
script("raises a text of several lines", "raise ValueError('one\\ntwo')")
script("raises what cannot be printed", "raise ValueError('\\ud800 \\x00 \\u202e')")
script(
    "raises what refuses to be text",
    """
    class Mute(Exception):
        def __str__(self):
            raise RuntimeError("no")
    raise Mute()
    """,
)
script("is not Python", "x = (1,\ny = = 2\n")
script("is not Python in the middle", "def f():\n    return\n  print()\n")
script("has an odd name", "nosuchname")
script("recurses", "def f(): f()\nf()")
script("exits with 0", "import sys\nprint('{}')\nsys.exit(0)")
script("exits with 3", "import sys\nsys.exit(3)")
script("exits with text", "import sys\nsys.exit('went wrong: ü')")
script("exits with None", "import sys\nsys.exit()")
script("exits with a tuple", "import sys\nsys.exit((1, 2))")
script("exits with True", "import sys\nsys.exit(True)")
script("exits with -1", "import sys\nsys.exit(-1)")
script("raises SystemExit in a function", "def f():\n    raise SystemExit(4)\nf()")
script("ends before the flush", "import os\nprint('lost')\nos._exit(0)")
script("is interrupted", "print('before')\nraise KeyboardInterrupt")
script("is interrupted by itself", "import os, signal\nos.kill(os.getpid(), signal.SIGINT)")
script("is killed", "import os, signal\nos.kill(os.getpid(), signal.SIGKILL)")
script("aborts", "import os\nos.abort()")
script(
    "atexit after an exception",
    "import atexit\natexit.register(print, 'at exit')\nprint('first')\nraise OSError(2, 'gone')",
)
script(
    "atexit raises",
    "import atexit\n@atexit.register\ndef f():\n    raise ValueError('late')\nprint('{}')",
)
script(
    "its own excepthook",
    """
    import sys
    def hook(kind, error, trace):
        frames = []
        while trace:
            frames.append((trace.tb_frame.f_code.co_filename, trace.tb_lineno))
            trace = trace.tb_next
        print(kind.__name__, error, frames, sys.exc_info(), sys.last_value is error)
    sys.excepthook = hook
    1 / 0
    """,
)
script("an excepthook that exits", "import sys\nsys.excepthook = lambda *a: sys.exit(9)\n1/0")
script("an excepthook that raises", "import sys\ndef h(*a):\n    {}[1]\nsys.excepthook = h\n1/0")
script("an excepthook that is missing", "import sys\ndel sys.excepthook\n1/0")
script("no stderr", "import sys\nsys.stderr = None\n1/0")
script("a stderr of its own", "import io, sys\nsys.stderr = io.StringIO()\n1/0")
script("closed stdout", "import sys, os\nos.close(1)\nprint('into the void')")
script(
    "a thread that raises",
    "import threading\nt = threading.Thread(target=lambda: 1/0, name='t')\n"
    "t.start()\nt.join()\nprint('{}')",
)
script(
    "a thread that outlives main",
    "import threading, time\n"
    "threading.Thread(target=lambda: (time.sleep(.05), print('late'))).start()\nprint('main')",
)
script(
    "a forked child that raises",
    """
    import os
    if os.fork() == 0:
        raise ValueError("in the child")
    print(os.wait()[1])
    """,
)
script(
    "multiprocessing that imports main again",
    """
    import multiprocessing

    def double(x):
        return x * 2

    if __name__ == "__main__":
        with multiprocessing.get_context("spawn").Pool(1) as pool:
            print(pool.map(double, [1, 2]))
    """,
)
script(
    "pickles its own classes",
    "import pickle\nclass A: pass\nprint(type(pickle.loads(pickle.dumps(A()))) is A, A.__module__)",
)
script(
    "dataclass with annotations",
    "import dataclasses, typing\n@dataclasses.dataclass\nclass A:\n    x: 'int'\n"
    "print(typing.get_type_hints(A), A(3))\ny: int = 4\nprint(__annotations__)",
)
script("warns", "import warnings\ndef f():\n    warnings.warn('old', stacklevel=2)\nf()")
script("inspects itself", "import inspect\ndef f():\n    return 1\nprint(inspect.getsource(f))")
script(
    "its descriptors and its place",
    """
    import os
    print(os.getcwd(), os.umask(0), os.getpgid(0) == os.getpid(), os.isatty(0))
    print([os.get_inheritable(fd) for fd in (0, 1, 2)])
    """.replace("os.getpgid(0) == os.getpid()", "0"),
)
script(
    "its signals",
    """
    import signal
    print(sorted((int(s), str(signal.getsignal(s))) for s in signal.valid_signals()))
    print(signal.pthread_sigmask(signal.SIG_BLOCK, []))
    """,
)
script("its environment", "import os\nprint(sorted(os.environ.items()))")
script(
    "its streams",
    "import sys\nfor s in (sys.stdin, sys.stdout, sys.stderr):\n"
    "    print(s.encoding, s.errors, s.name, s.mode, s.newlines)",
)
script("future annotations", "from __future__ import annotations\nx: nosuch = 1\nprint(x)")
script("walrus and match", "match (n := 3):\n    case 3:\n        print('three', n)")
script("coding cookie", "# -*- coding: latin-1 -*-\nprint('Ã¼')")
script("subclass of KeyboardInterrupt", "class K(KeyboardInterrupt): pass\nraise K('x')")
script("raises BaseException", "raise BaseException('base')")
script("raises GeneratorExit", "raise GeneratorExit")
script("sets last lines", "print('no newline', end='')")
script("deletes its main", "import sys\ndel sys.modules['__main__']\nprint('{}')")
script("logs", "import logging\nlogging.warning('careful')\nlogging.exception('none')")
script("runs out of descriptors", "import os\nfds = []\nwhile True:\n    fds.append(os.dup(0))")

# --- modules that the zygote has loaded, and files of their names -------------------------------

for _module in ("json", "datetime", "re", "collections", "pathlib", "select", "contextlib"):
    script(
        f"a {_module}.py beside it that is imported",
        f"import {_module}\nprint({_module}.MINE, {_module}.__name__)",
        **{_module: "MINE = 'mine'"},  # type: ignore[arg-type]
    )
script("a calendar.py beside it", "import calendar\nprint(calendar.MINE)", calendar="MINE = 1")
script("a typing.py that raises", "import typing", typing="raise LookupError('my typing')")
script("a random.py beside it", "import random\nprint(random.choice)", random="choice = 4")
script("a module of its own named confine", "import confine\nprint(confine.X)", confine="X = 1")
script("a module of its own named program", "import program\nprint(program.X)", program="X = 2")
script("no module is named confine", "import confine")
script(
    "modules of its own named as ours are",
    "import calling, landlock, view\nprint(calling.X, landlock.X, view.X)",
    calling="X = 1",
    landlock="X = 2",
    view="X = 3",
)
script("no module is named as ours are", "import calling")
script("no module is named zygote", "import zygote")
script("imports a relative name", "from . import helper", helper="")
script("imports from its parent", "from .helper import x", helper="x = 1")
script("imports itself", "import script\nprint(__name__)")
script(
    "reloads a module of the library",
    "import importlib, json\nprint(importlib.reload(json) is json, json.dumps([1]))",
)
script(
    "imports a package",
    """
    import os, sys
    os.makedirs("pack", exist_ok=True)
    with open("pack/__init__.py", "w") as f: f.write("from . import inner")
    with open("pack/inner.py", "w") as f: f.write("print(__package__, __name__)")
    import pack
    """,
)
script(
    "edits a module and imports it again",
    """
    import importlib, sys
    sys.dont_write_bytecode = True
    import helper
    print(helper.V)
    with open(helper.__file__, "w") as f: f.write("V = 'a new one'")
    importlib.reload(helper)
    print(helper.V)
    with open(helper.__file__, "w") as f: f.write("V = 'old'")
    """,
    helper="V = 'old'",
)
script(
    "its meta path",
    "import sys\nprint([type(f).__name__ for f in sys.meta_path], len(sys.path_hooks))",
)
script(
    "its packages",
    "import sys, site\nprint(sys.path, site.getsitepackages(), site.ENABLE_USER_SITE)",
)
script(
    "its version and prefix",
    "import sys\nprint(sys.version, sys.prefix, sys.base_prefix, sys.executable)",
)
script("runpy", "import runpy\nprint(runpy.run_path('helper.py')['X'])", helper="X = __name__")
script(
    "pkgutil and resources",
    "import pkgutil\nprint(pkgutil.get_data('helper', 'helper.py'))",
    helper="pass",
)

# --- how it ends ----------------------------------------------------------------------------------

script("exits with 256", "import sys\nsys.exit(256)")
script("exits with a large number", "import sys\nsys.exit(2 ** 40)")
script("exits with a negative large number", "import sys\nsys.exit(-2 ** 70)")
script("exits with False", "import sys\nsys.exit(False)")
script(
    "exits with an object",
    "import sys\nclass A:\n    def __str__(self): return 'as text'\nsys.exit(A())",
)
script("exits with a float", "import sys\nsys.exit(1.5)")
script("exits with empty text", "import sys\nsys.exit('')")
script("exits with a list", "import sys\nsys.exit([])")
script("exits in a finally", "import sys\ntry:\n    1/0\nfinally:\n    sys.exit(6)")
script(
    "exits while it handles",
    "import sys\ntry:\n    1/0\nexcept ZeroDivisionError:\n    sys.exit(8)",
)
script("exits by quit", "quit(3)")
script("exits by a subclass", "class E(SystemExit):\n    pass\nraise E(5)")
script("exits with a code of its own", "class E(SystemExit):\n    code = 11\nraise E")
script(
    "exits in a thread",
    "import sys, threading\nt = threading.Thread(target=sys.exit, args=(3,))\nt.start()\nt.join()\nprint('on')",
)
script(
    "finalisers at its end",
    """
    class A:
        def __init__(self, name): self.name = name
        def __del__(self): print('end of', self.name)
    kept = A('a global')
    cycle = A('a cycle')
    cycle.self = cycle
    def f():
        local = A('a local')
    f()
    """,
)
script(
    "a finaliser without anything to collect",
    "class A:\n    __slots__ = ()\n    def __del__(self): print('end')\na = A()",
)
script("a finaliser that raises", "class A:\n    def __del__(self): 1/0\na = A()")
script(
    "a finaliser that uses a module",
    "import os\nclass A:\n    def __del__(self): print(os is None)\na = A()",
)
script(
    "a weak reference's callback at its end",
    "import weakref\nclass A: pass\na = A()\nr = weakref.ref(a, lambda _: print('gone'))",
)
script(
    "weakref.finalize",
    "import weakref\nclass A: pass\na = A()\nweakref.finalize(a, print, 'finalised')",
)
script("a file left open", "f = open('left.txt', 'w')\nf.write('flushed?')\nprint('left')")
script(
    "reads what the last one left open",
    "import os\nf = open('a.txt', 'w')\nf.write('x' * 10)\ndel f\nprint(os.path.getsize('a.txt'))",
)
script(
    "a generator left in the middle",
    "def g():\n    try:\n        yield 1\n    finally:\n        print('closed')\nx = g()\nnext(x)",
)
script("a coroutine never awaited", "async def f(): pass\nx = f()")
script(
    "a context left open",
    "import contextlib\n@contextlib.contextmanager\ndef c():\n    try:\n        yield\n    finally:\n        print('left')\nx = c()\nx.__enter__()",
)
script(
    "atexit in order",
    "import atexit\nfor n in range(3):\n    atexit.register(print, n)\nprint('main')",
)
script(
    "atexit registered at exit",
    "import atexit\natexit.register(lambda: atexit.register(print, 'inner'))",
)
script("atexit after sys.exit", "import atexit, sys\natexit.register(print, 'bye')\nsys.exit(2)")
script(
    "atexit and finalisers",
    "import atexit\nclass A:\n    def __del__(self): print('del')\na = A()\natexit.register(print, 'atexit')",
)
script(
    "a daemon thread at its end",
    "import threading, time\nthreading.Thread(target=time.sleep, args=(9,), daemon=True).start()\nprint('main')",
)
script(
    "a thread that prints after main has raised",
    "import threading, time\nthreading.Thread(target=lambda: (time.sleep(.05), print('late'))).start()\n1/0",
)
script("a timer", "import threading\nthreading.Timer(.02, print, ['tick']).start()")
script(
    "a pool of threads left alone",
    "from concurrent.futures import ThreadPoolExecutor\np = ThreadPoolExecutor(2)\np.submit(print, 'in the pool')",
)
script("stdout closed by itself", "import sys\nprint('before')\nsys.stdout.close()")
script("stdout detached", "import sys\nraw = sys.stdout.detach()\nraw.write(b'raw')\nraw.flush()")
script("stdout deleted", "import sys\nprint('before')\ndel sys.stdout")
script("stdout of its own", "import io, sys\nsys.stdout = io.StringIO()\nprint('nobody sees it')")
script(
    "flush that fails at the end",
    "import os\nprint('x')\nos.close(1)\nos.open('/dev/full', os.O_WRONLY)",
)
script(
    "KeyboardInterrupt in atexit",
    "import atexit\n@atexit.register\ndef f():\n    raise KeyboardInterrupt",
)
script("raises in a class body", "class A:\n    x = 1\n    y = x / 0")
script("raises in a comprehension", "[1 / n for n in (1, 0)]")
script("raises in a lambda", "f = lambda: 1 / 0\nf()")
script("raises over several lines", "x = [\n    1,\n    2 /\n    0,\n]")
script(
    "raises with notes",
    "e = ValueError('x')\ne.add_note('one')\ne.add_note('two')\nraise e",
    oldest=(3, 11),
)
script(
    "raises from None",
    "try:\n    1/0\nexcept ZeroDivisionError:\n    raise KeyError('k') from None",
)
script("raises a warning", "raise UserWarning('as an exception')")
script("raises StopIteration", "raise StopIteration(3)")
script("raises in a generator", "def g():\n    yield 1\n    raise ValueError\nlist(g())")
script("raises an assertion", "assert 1 == 2, 'not equal'")
script("raises NameError with a suggestion", "value = 1\nprint(valeu)")
script("raises AttributeError with a suggestion", "import json\njson.dump_s")
script("raises ImportError", "from json import nothing_like_it")
script("raises in exec", "exec('1/0')")
script(
    "raises in a nested function with its own traceback",
    "import traceback\ndef f():\n    try:\n        1/0\n    except ZeroDivisionError:\n        traceback.print_exc()\nf()",
)
script(
    "prints its own stack",
    "import traceback, sys\ntry:\n    raise ValueError\nexcept ValueError:\n    print(len(traceback.extract_tb(sys.exc_info()[2])))",
)
script("dies of SIGTERM", "import os, signal\nos.kill(os.getpid(), signal.SIGTERM)")
script(
    "dies of SIGPIPE",
    "import signal, os\nsignal.signal(signal.SIGPIPE, signal.SIG_DFL)\nos.kill(os.getpid(), signal.SIGPIPE)",
)
script(
    "becomes another program",
    "import os, sys\nsys.stdout.flush()\nos.execv(sys.executable, [sys.executable, '-c', 'print(5)'])",
)

# --- what does not compile --------------------------------------------------------------------------

script("an unclosed bracket", "x = [1,\n")
script("an unclosed string", "x = 'abc\n")
script("a tab among spaces", "def f():\n        x = 1\n\ty = 2\n")
script("return outside", "return 5")
script("await outside", "await x")
script("a keyword as a name", "class = 3")
script("an f-string that is wrong", "f'{a b}'")
script("a number that is wrong", "x = 0b12")
script("nonlocal at the top", "nonlocal x")
script("a future that is not", "from __future__ import braces")
script("a caret under a wide character", "ü = 'ö' 5 ß")
script("SyntaxError of a helper", "import helper", helper="x = = 1")
script("IndentationError", "if True:\nprint(1)")
script("a warning of the compiler's", "x = 1 is 1\nprint(x)")
script("an escape that is none", "print('\\d')")
script("an assertion that is always true", "assert (1, 'x')")

# --- the library ------------------------------------------------------------------------------------

script(
    "multiprocessing by fork",
    "import multiprocessing as m\nif __name__ == '__main__':\n"
    "    with m.get_context('fork').Pool(2) as p: print(p.map(abs, [-1, -2]))",
)
script(
    "multiprocessing by forkserver",
    "import multiprocessing as m\nif __name__ == '__main__':\n"
    "    with m.get_context('forkserver').Pool(1) as p: print(p.map(abs, [-1, -2]))",
)
script(
    "a queue between processes",
    "import multiprocessing as m\ndef f(q): q.put(__name__)\nif __name__ == '__main__':\n"
    "    c = m.get_context('spawn')\n    q = c.Queue()\n    p = c.Process(target=f, args=(q,))\n"
    "    p.start()\n    print(q.get())\n    p.join()",
)
script(
    "a pool of processes",
    "from concurrent.futures import ProcessPoolExecutor\nif __name__ == '__main__':\n"
    "    with ProcessPoolExecutor(1) as p: print(list(p.map(abs, [-3])))",
)
script(
    "asyncio",
    "import asyncio\nasync def f():\n    await asyncio.sleep(0.01)\n    return 5\nprint(asyncio.run(f()))",
)
script(
    "asyncio with a subprocess",
    "import asyncio, sys\nasync def f():\n    p = await asyncio.create_subprocess_exec(sys.executable, '-c', "
    "'print(7)', stdout=-1)\n    return (await p.communicate())[0]\nprint(asyncio.run(f()))",
)
script(
    "asyncio that raises",
    "import asyncio\nasync def f():\n    raise KeyError('in a task')\nasyncio.run(f())",
)
script(
    "a task that is destroyed",
    "import asyncio\nasync def f():\n    asyncio.ensure_future(asyncio.sleep(9))\nasyncio.run(f())\nprint('x')",
)
script(
    "subprocess",
    "import subprocess, sys\nprint(subprocess.run([sys.executable, '-c', 'print(1)'], capture_output=True).stdout)",
)
script(
    "subprocess that inherits",
    "import subprocess\nprint('first', flush=True)\nsubprocess.run(['echo', 'second'])",
)
script("os.system", "import os\nprint(os.system('exit 3'))")
script(
    "a subprocess and its descriptors",
    "import subprocess\nprint(subprocess.run('ls /proc/self/fd | wc -l', shell=True, capture_output=True).stdout)",
)
script(
    "signal handlers",
    "import signal, os\nsignal.signal(signal.SIGUSR1, lambda *a: print('usr1'))\nos.kill(os.getpid(), signal.SIGUSR1)",
)
script(
    "an alarm",
    "import signal, time\nsignal.signal(signal.SIGALRM, lambda *a: print('alarm'))\nsignal.setitimer(signal.ITIMER_REAL, .01)\ntime.sleep(.2)",
)
script("a wakeup descriptor", "import signal\nprint(signal.set_wakeup_fd(-1))")
script(
    "SIGCHLD",
    "import signal, subprocess, time\nprint(signal.getsignal(signal.SIGCHLD))\nsignal.signal(signal.SIGCHLD, lambda *a: print('child'))\nsubprocess.run(['true'])",
)
script("waits for children that it has not", "import os\nos.wait()")
script(
    "input()",
    "print(repr(input()))\ntry:\n    input('more? ')\nexcept EOFError as e:\n    print('eof', e)",
)
script("reads stdin as bytes", "import sys\nprint(sys.stdin.buffer.read())")
script("iterates over stdin", "import sys\nfor line in sys.stdin: print(repr(line))")
script("stdin by descriptor", "import os\nprint(os.read(0, 5), os.read(0, 500))")
script(
    "newlines of the streams",
    "import sys\nsys.stdout.write('a\\r\\nb\\rc\\n')\nprint(repr(sys.stdin.newlines), sys.stdout.newlines)",
)
script(
    "buffering of the streams",
    "import sys\nfor s in (sys.stdin, sys.stdout, sys.stderr): print(s.line_buffering, s.isatty(), s.seekable(), s.readable(), s.writable(), s.fileno(), s.closed, type(s.buffer).__name__, type(s.buffer.raw).__name__, s.write_through)",
)
script(
    "order of stdout and stderr",
    "import os, sys\nprint('late')\nos.write(1, b'early ')\nsys.stderr.write('err\\n')",
)
script(
    "a buffer's size",
    "import io, sys\nprint(io.DEFAULT_BUFFER_SIZE, sys.stdout._CHUNK_SIZE)\nsys.stdout.buffer.write(b'x' * 5000)",
)
script(
    "reconfigures its streams",
    "import sys\nsys.stdout.reconfigure(encoding='latin-1', newline='\\r\\n')\nprint('ü')",
)
script("prints what cannot be encoded", "print('\\ud800')")
script("prints what cannot be encoded on stderr", "import sys\nprint('\\ud800', file=sys.stderr)")
script("writes bytes and text", "import sys\nsys.stdout.buffer.write(b'bytes ')\nprint('text')")
script(
    "prints with a logging handler",
    "import logging, sys\nlogging.basicConfig(stream=sys.stdout, level='INFO', format='%(name)s %(levelname)s %(process)d'.replace('%(process)d', ''))\nlogging.info('x')",
)
script(
    "logging's last resort",
    "import logging\nlogging.getLogger('x').warning('last')\nlogging.getLogger('x').info('not')",
)
script(
    "unittest",
    "import unittest\nclass T(unittest.TestCase):\n    def test_a(self): self.assertEqual(1, 1)\n    def test_b(self): self.assertIn('x', 'xyz')\nif __name__ == '__main__':\n    import io\n    r = unittest.main(exit=False, testRunner=unittest.TextTestRunner(stream=io.StringIO())).result\n    print(r.testsRun, r.wasSuccessful())",
)
script("doctest", "'''\n>>> 1 + 1\n3\n'''\nimport doctest\nprint(doctest.testmod().failed)")
script(
    "argparse with a wrong argument",
    "import argparse, sys\nsys.argv.append('--nothing')\nargparse.ArgumentParser().parse_args()",
)
script("argparse's program name", "import argparse\nprint(argparse.ArgumentParser().prog)")
script(
    "inspect of its source",
    "import inspect\nclass A:\n    def f(self): pass\nprint(inspect.getsource(A), inspect.getfile(A), inspect.getmodule(A).__name__)",
)
script(
    "inspect of its signature",
    "import inspect\ndef f(a, *, b=1): pass\nprint(inspect.signature(f))",
)
script("linecache", "import linecache\nprint(linecache.getline(__file__, 1))")
script(
    "a frame's file and line",
    "import sys\nf = sys._getframe()\nprint(f.f_code.co_filename, f.f_lineno, f.f_code.co_name)",
)
script(
    "pickle of a function",
    "import pickle\ndef f(): return 3\nprint(pickle.loads(pickle.dumps(f))(), pickle.dumps(f, 0))",
)
script(
    "pickle in another process",
    "import pickle, subprocess, sys\nclass A: pass\nprint(subprocess.run([sys.executable, '-c', 'import pickle, sys; pickle.load(sys.stdin.buffer)'], input=pickle.dumps(A()), capture_output=True).returncode)",
)
script(
    "copies",
    "import copy\nclass A:\n    def __init__(self): self.x = [1]\na = A()\nprint(copy.deepcopy(a).x)",
)
script(
    "typing.get_type_hints",
    "import typing\nclass A:\n    x: 'typing.List[A]'\nprint(typing.get_type_hints(A))\ndef f(a: 'A') -> 'int': pass\nprint(typing.get_type_hints(f))",
)
script(
    "typing.NamedTuple and TypedDict",
    "import typing\nclass P(typing.NamedTuple):\n    x: int = 1\nclass D(typing.TypedDict):\n    y: int\nprint(P(), D(y=1), P.__module__)",
)
script(
    "dataclasses with a default",
    "from dataclasses import dataclass, field, asdict\n@dataclass(order=True)\nclass A:\n    x: int\n    y: list = field(default_factory=list)\nprint(A(1) < A(2), asdict(A(3)))",
)
script(
    "an enum",
    "import enum\nclass C(enum.Enum):\n    RED = 1\nprint(C.RED, C(1).name, C.__module__)",
)
script(
    "an abstract class",
    "import abc\nclass A(abc.ABC):\n    @abc.abstractmethod\n    def f(self): pass\nA()",
)
script(
    "faulthandler",
    "import faulthandler\nprint(faulthandler.is_enabled())\nfaulthandler.enable()\nfaulthandler.disable()",
)
script(
    "warnings with a filter", "import warnings\nwarnings.simplefilter('error')\nwarnings.warn('x')"
)
script(
    "a deprecation in main",
    "import warnings\nwarnings.warn('old', DeprecationWarning)\nprint(len(warnings.filters))",
)
script(
    "a deprecation in a helper",
    "import helper",
    helper="import warnings\nwarnings.warn('old', DeprecationWarning)",
)
script("a warning shown once", "import warnings\nfor _ in range(3): warnings.warn('again')")
script(
    "a resource left open", "import warnings\nwarnings.simplefilter('always')\nopen('x.txt', 'w')"
)
script("tracemalloc", "import tracemalloc\nprint(tracemalloc.is_tracing())")
script(
    "gc state",
    "import gc\nprint(gc.isenabled(), gc.get_threshold(), gc.get_debug(), gc.garbage, gc.callbacks)",
)
script(
    "gc of its own cycles",
    "import gc\nclass A: pass\na = A()\na.a = a\ndel a\nprint(gc.collect() >= 1)",
)
script(
    "resource limits",
    "import resource\nprint([resource.getrlimit(getattr(resource, n)) for n in ('RLIMIT_NPROC', 'RLIMIT_STACK', 'RLIMIT_CPU')])",
)
script(
    "resource usage of children",
    "import resource\nprint(resource.getrusage(resource.RUSAGE_CHILDREN).ru_utime)",
)
script("its times", "import time\nprint(time.process_time() < 5)")
script(
    "locale",
    "import locale\nprint(locale.getlocale(), locale.setlocale(locale.LC_ALL), locale.getpreferredencoding(False), locale.localeconv()['decimal_point'])",
)
script(
    "sets a locale",
    "import locale\nprint(locale.setlocale(locale.LC_ALL, ''), format(1234.5, 'n'))",
)
script(
    "encodings of the system",
    "import sys\nprint(sys.getfilesystemencoding(), sys.getfilesystemencodeerrors(), sys.getdefaultencoding())",
)
script(
    "time zone",
    "import time, datetime\nprint(time.tzname, time.timezone, time.daylight, datetime.datetime.fromtimestamp(0), time.localtime(0))",
)
script(
    "changes its time zone",
    "import os, time\nos.environ['TZ'] = 'Asia/Tokyo'\ntime.tzset()\nprint(time.tzname, time.localtime(0).tm_hour)",
)
script(
    "random with a seed",
    "import random\nrandom.seed(3)\nprint(random.random(), random.sample(range(99), 3))",
)
script(
    "uuid with a name",
    "import uuid\nprint(uuid.uuid5(uuid.NAMESPACE_DNS, 'x'), len(str(uuid.uuid4())))",
)
script(
    "hashing",
    "import hashlib\nprint(hashlib.sha256(b'x').hexdigest(), hash(1), hash(2.5))",
)
script("the order of a set of numbers", "print({3, 1, 2}, {1: 2, 0: 1})")
script("decimal context", "import decimal\nprint(decimal.getcontext())")
script(
    "sqlite",
    "import sqlite3\nc = sqlite3.connect(':memory:')\nprint(c.execute('select 1 + 1').fetchone())",
)
script(
    "ctypes",
    "import ctypes\nprint(ctypes.CDLL(None).abs(-3))\nctypes.CDLL(None).puts(b'by the C library')",
)
script(
    "zlib, lzma, bz2",
    "import zlib, lzma, bz2\nprint(len(zlib.compress(b'x' * 99)), len(bz2.compress(b'x')), len(lzma.compress(b'x')))",
)
script(
    "tempfile",
    "import os, tempfile\nwith tempfile.NamedTemporaryFile() as f: print(os.path.exists(f.name))\nd = tempfile.TemporaryDirectory()\nprint(os.path.isdir(d.name))",
)
script(
    "shelve",
    "import shelve\nwith shelve.open('s') as s: s['a'] = 1\nwith shelve.open('s') as s: print(dict(s))",
)
script(
    "csv and io",
    "import csv, io\nf = io.StringIO()\ncsv.writer(f).writerow([1, 'a,b'])\nprint(repr(f.getvalue()))",
)
script(
    "re caches", "import re\nprint(re.sub('a+', 'b', 'caat'), re.compile('x') is re.compile('x'))"
)
script(
    "functools caches",
    "import functools\n@functools.lru_cache\ndef f(x): return x\nf(1); f(1)\nprint(f.cache_info())",
)
script(
    "contextvars",
    "import contextvars\nv = contextvars.ContextVar('v')\nprint(len(contextvars.copy_context()), v.get('none'))",
)
script(
    "threading's main thread",
    "import threading\nprint(threading.main_thread() is threading.current_thread(), threading.current_thread().name, threading.active_count(), threading.enumerate() == [threading.main_thread()])",
)
script(
    "a thread's excepthook",
    "import threading\nthreading.excepthook = lambda a: print('hook', a.exc_type.__name__)\nt = threading.Thread(target=lambda: 1/0)\nt.start()\nt.join()",
)
script(
    "sys.unraisablehook",
    "import sys\nsys.unraisablehook = lambda u: print('unraisable', u.exc_type.__name__)\nclass A:\n    def __del__(self): 1/0\nA()",
)
script(
    "audit hooks",
    "import sys\nseen = []\nsys.addaudithook(lambda e, a: seen.append(e) if e == 'open' else None)\nopen(__file__).close()\nprint(seen)",
)
script(
    "settrace",
    "import sys\ncalls = []\nsys.settrace(lambda f, e, a: calls.append((e, f.f_code.co_name)))\ndef f(): pass\nf()\nsys.settrace(None)\nprint(calls)",
)
script("its recursion limit", "import sys\nprint(sys.getrecursionlimit(), sys.getswitchinterval())")
script(
    "its descriptors by number",
    "import os\nprint(os.open('/dev/null', os.O_RDONLY), os.dup(0), os.pipe())",
)
script("its working directory", "import os\nprint(os.getcwd(), os.path.abspath('x'))")
script(
    "changes its working directory",
    "import os\nos.makedirs('deep', exist_ok=True)\nos.chdir('deep')\nimport helper\nprint(helper.__file__)",
    helper="",
)
script(
    "writes beside itself",
    "import os\nwith open('out.txt', 'w') as f: f.write('x')\nprint(oct(os.stat('out.txt').st_mode))",
)
script(
    "its program's names",
    "import sys, os\nprint(sys.argv, os.path.basename(sys.executable), getattr(sys, 'orig_argv', [])[1:])",
)
script(
    "globals and vars",
    "x = 1\nprint(sorted(n for n in globals()), vars() is globals(), __builtins__.__name__)",
)
script(
    "__import__ and builtins",
    "import builtins\nprint(sorted(n for n in dir(builtins) if n.startswith('__')))",
)
script(
    "site's builtins", "print(callable(exit), callable(help), copyright is not None, repr(quit))"
)
script(
    "display hook",
    "import sys\nprint(sys.displayhook is sys.__displayhook__, sys.excepthook is sys.__excepthook__, sys.stdout is sys.__stdout__)",
)
script("int digits limit", "import sys\nprint(sys.get_int_max_str_digits())", oldest=(3, 12))
script(
    "hooks of fork",
    "import os\nos.register_at_fork(after_in_child=lambda: print('in the child', flush=True))\nif os.fork() == 0: os._exit(0)\nos.wait()",
)
script(
    "a forked child that goes on to the end",
    "import os, sys, atexit\natexit.register(lambda: print('at exit', flush=True))\npid = os.fork()\nif pid: os.waitpid(pid, 0)",
)
script("a large source", "x = 0\n" + "x += 1\n" * 20_000 + "print(x)")
script("deep nesting in the source", "print(" + "(" * 80 + "1" + ")" * 80 + ")")
script("a source with carriage returns", "print(1)\r\nprint(2)\r\n")
script("a byte order mark", "\ufeffprint('marked')")
script("an empty line at its end only", "\n")
script("a comment only", "# nothing")
