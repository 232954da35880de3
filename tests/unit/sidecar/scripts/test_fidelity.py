"""A script finds under the runner what it finds under `python script.py`.

Every script runs both ways, in the same folder with the same environment and input; what it
printed and how it ended must be the same, byte for byte. Known to differ, and left out here: one
more frame below the script's (`inspect.stack()`, the depth of a RecursionError), and the words
for a source whose encoding cannot be read. Python 3.8 shows the script's path as it was given,
all later ones absolute, and we always absolute; hence paths are compared without the folder.
"""

import re
import subprocess
import sys
import textwrap
from pathlib import Path

import orjson
import pytest

from sidecar.scripts.confinement import UMASK
from sidecar.scripts.environment import script_environment
from sidecar.scripts.interface import ScriptRequest
from tests.unit.sidecar.scripts.conftest import PYTHON, Bench

#: Each with the files that lie beside it; a name that begins with `!` ends with an error.
SCRIPTS: dict[str, tuple[str, dict[str, str]]] = {}


def script(name: str, source: str, **beside: str) -> None:
    SCRIPTS[name] = (
        textwrap.dedent(source),
        {f"{module}.py": textwrap.dedent(text) for module, text in beside.items()},
    )


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
script(
    "loaded modules",
    'import sys\nprint("{\\"n\\": %d}" % len(sys.modules), sorted(sys.modules), file=sys.stderr)',
)
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


@pytest.mark.parametrize("name", SCRIPTS)
async def test_script_behaves_as_with_plain_python(bench: Bench, name: str) -> None:
    source, beside = SCRIPTS[name]
    for file, text in beside.items():
        bench.write(text, file)
    path = bench.write(source)

    plain = comparable(*plain_python(path), path)
    ours = comparable(*await through_the_runner(bench), path)

    assert ours == plain


def plain_python(path: Path) -> tuple[bytes, bytes, int]:
    done = subprocess.run(
        [PYTHON, path.name],
        cwd=path.parent,
        env=script_environment(
            {},
            temporary="/tmp/workflow-sidecar-x/1",
            cache=path.parent / ".workflow-sidecar/cache",
            closes_global_git_settings=sys.platform == "linux",
        ),
        umask=UMASK,
        input=orjson.dumps(INPUTS) + b"\n",
        capture_output=True,
        timeout=30,
        check=False,
    )
    return done.stdout, done.stderr, done.returncode


def comparable(stdout: bytes, stderr: bytes, status: int, path: Path) -> tuple[str, str, int]:
    """Without addresses of objects, the depth at which a recursion ends, and the folder."""
    varying = rf"0x[0-9a-f]{{8,}}|repeated \d+ more|{re.escape(str(path.parent))}/"
    varying += r"|/[^ ']+/workflow-sidecar-\w+/\d+"
    out, err = (re.sub(varying, "", data.decode(errors="replace")) for data in (stdout, stderr))
    return out, err, status


INPUTS = {"greeting": "hällo", "n": 1}


async def through_the_runner(bench: Bench) -> tuple[bytes, bytes, int]:
    """Stdout, stderr and exit status before the runner has made an outcome of them."""
    ends: list[tuple[bytes, int]] = []
    original = bench.runner._process  # the raw end is what is compared, not its interpretation

    async def process(*args: object) -> object:
        ended = await original(*args)  # type: ignore[arg-type]
        ends.append((ended.stdout, ended.returncode))
        return ended

    bench.runner._process = process  # type: ignore[method-assign,assignment]
    outcome = await bench.runner.run(ScriptRequest("script.py", INPUTS, 30_000), lambda _: None)
    (stdout, returncode) = ends[0]
    return stdout, outcome.stderr.encode(), returncode
