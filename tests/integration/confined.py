"""Running confined scripts as root and as an unprivileged user, whoever runs the tests.

A playground is a folder with a project, a home and something outside both, all of it the user's
own: whatever a script cannot reach there, permission bits did not keep it from.
"""

import json
import os
import shutil
import subprocess
import sys
import tempfile
import textwrap
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import pytest

#: No account of any machine; what belongs to it was given to it here.
USER_ID = 54321
_ROOT = Path(__file__).parent.parent.parent
_SECRET = "the secret of the outside"


@dataclass(frozen=True)
class Account:
    """Who runs the sidecar: `uid` None is whoever runs the tests."""

    name: str
    uid: int | None
    python: str
    """Runs the sidecar and the scripts; no virtual environment, so that there is a user site."""
    environment: Mapping[str, str]

    def popen(self) -> dict[str, Any]:
        """Options for subprocess that make a process this account's."""
        if self.uid is None:
            return {}
        return {"user": self.uid, "group": self.uid, "extra_groups": []}


def account(name: str) -> Account:
    """The account "root" or "user"; skips the test where it is not to be had."""
    root = os.geteuid() == 0
    if name == "root" and not root:
        pytest.skip("being root needs root")
    uid = USER_ID if name == "user" and root else None
    found = _python_for(uid)
    if found is None:
        reason = "no Python of this version that an unprivileged user could run"
        if os.environ.get("CI"):
            pytest.fail(reason)
        pytest.skip(reason)
    return Account(name, uid, *found)


@cache
def _python_for(uid: int | None) -> tuple[str, dict[str, str]] | None:
    """An interpreter of our version that can be run and finds the sidecar, and how it finds it.

    The tests' own may lie in root's home; the system's then takes our packages.
    """
    packages = [entry for entry in sys.path if entry.endswith("site-packages")]
    environment = {"PYTHONPATH": os.pathsep.join([str(_ROOT), *packages])}
    options: dict[str, Any] = {}
    if uid is not None:
        options = {"user": uid, "group": uid, "extra_groups": []}
    version = ".".join(map(str, sys.version_info[:2]))
    ours = os.path.realpath(sys.executable)
    for python in (ours, f"/usr/bin/python{version}", f"/usr/local/bin/python{version}"):
        program = "import sidecar.engine, sys; print('%d.%d' % sys.version_info[:2])"
        try:
            done = subprocess.run(
                [python, "-c", program],
                env={**os.environ, **environment},
                cwd="/",
                capture_output=True,
                text=True,
                check=True,
                **options,
            )
        except (OSError, subprocess.SubprocessError):
            continue
        if done.stdout.strip() == version:
            return python, environment
    return None


class Playground:
    """One folder for one account, and the sidecar run in it."""

    def __init__(self, base: Path, account: Account) -> None:
        self.account = account
        self.base = base
        self.project, self.home, self.outside = (
            base / name for name in ("project", "home", "outside")
        )
        self.put(self.home / ".ssh" / "id_ed25519", _SECRET)
        self.put(self.home / ".bashrc", "# mine\n")
        self.put(self.home / ".gitconfig", "[user]\n\tname = Ada\n\temail = ada@example.org\n")
        self.put(self.outside / "secret.txt", _SECRET)
        self.put(self.outside / "folder" / "file.txt", "1")
        self.project.mkdir()
        self.own(self.project)

    def put(self, path: Path, text: str) -> Path:
        """A file that belongs to the account, with its folders."""
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(textwrap.dedent(text))
        for made in (path, *path.parents):
            if made.is_relative_to(self.base):
                self.own(made)
        return path

    def own(self, path: Path) -> None:
        if self.account.uid is not None:
            os.chown(path, self.account.uid, self.account.uid, follow_symlinks=False)

    def script(self, text: str, name: str = "script.py") -> str:
        """A script of the project; its path as a workflow names it."""
        self.put(self.project / name, text)
        return name

    def environment(self, **more: str) -> dict[str, str]:
        passed = {name: os.environ[name] for name in ("PATH", "LANG", "TZ") if name in os.environ}
        return {**passed, **self.account.environment, "HOME": str(self.home), **more}

    def sidecar(
        self, *arguments: str, env: Mapping[str, str] | None = None, **popen: Any
    ) -> "subprocess.CompletedProcess[str]":
        """The command line to its end, in the project."""
        return subprocess.run(
            [self.account.python, "-P", "-m", "sidecar", *arguments],
            cwd=self.project,
            env=self.environment(**(env or {})),
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
            **self.account.popen(),
            **popen,
        )

    def run(
        self,
        text: str,
        *flags: str,
        python: str | None = None,
        env: Mapping[str, str] | None = None,
        **step: Any,
    ) -> dict[str, Any]:
        """Run one script as a workflow of one step "s"; its ExecutionResult."""
        steps = [{"id": "s", "type": "python", "script": self.script(text), **step}]
        workflow = {"workflow": {"id": "w", "name": "W"}, "steps": steps}
        self.put(self.project / "w.yaml", json.dumps(workflow))
        python = python or self.account.python
        done = self.sidecar("run", "w.yaml", "--json", "--python", python, *flags, env=env)
        assert done.returncode in (0, 1), done.stderr
        result: dict[str, Any] = json.loads(done.stdout)
        return result

    def run_by_zygote(self, text: str, *flags: str, **step: Any) -> dict[str, Any]:
        """The same by a daemon whose zygote is there; `run` spawns, since it is not yet."""
        steps = [{"id": "s", "type": "python", "script": self.script(text), **step}]
        workflow = {"workflow": {"id": "w", "name": "W"}, "steps": steps}
        with self.serving(*flags) as ask:
            deadline = time.monotonic() + 20
            while ask("sidecar:info")["isolation"]["launcher"] != "zygote":
                assert time.monotonic() < deadline, "there is no zygote"
            result: dict[str, Any] = ask("workflow:execute", [workflow])
        return result

    @contextmanager
    def serving(
        self, *flags: str, log: Path | None = None, before: tuple[str, ...] = ()
    ) -> Iterator[Callable[..., Any]]:
        """A daemon; yields a function that asks it and gives the result. `log` gets its stderr,
        `before` is a program that starts it."""
        with (log or Path(os.devnull)).open("wb") as stderr:
            command = [self.account.python, "-P", "-m", "sidecar", "serve"]
            process = subprocess.Popen(
                [*before, *command, "--python", self.account.python, *flags],
                cwd=self.project,
                env=self.environment(),
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=stderr,
                **self.account.popen(),
            )

            def ask(method: str, params: Any = None) -> Any:
                assert process.stdin is not None
                assert process.stdout is not None
                request = {"jsonrpc": "2.0", "id": 1, "method": method, "params": params}
                process.stdin.write(json.dumps(request).encode() + b"\n")
                process.stdin.flush()
                return json.loads(process.stdout.readline())["result"]

            try:
                yield ask
            finally:
                process.communicate(timeout=20)
        assert process.returncode == 0

    def outputs(self, text: str, *flags: str, **more: Any) -> dict[str, Any]:
        """What a script prints that must succeed."""
        result = self.run(text, *flags, **more)
        assert result["success"], result
        outputs: dict[str, Any] = result["outputs"]["s"]
        return outputs

    def state_of_outside(self) -> dict[str, Any]:
        """All that lies beside the project, with what could have been changed about it."""
        found = {}
        for folder in (self.home, self.outside):
            for path in (folder, *sorted(folder.rglob("*"))):
                status = path.lstat()
                text = path.read_text() if path.is_file() else None
                found[str(path)] = (status.st_mode, status.st_uid, status.st_mtime_ns, text)
        return found


@contextmanager
def playground(account: Account) -> Iterator[Playground]:
    """In a folder that any user can come by; removed at the end."""
    base = Path(tempfile.mkdtemp(prefix="playground-"))
    base.chmod(0o755)
    if account.uid is not None:
        os.chown(base, account.uid, account.uid)
    try:
        yield Playground(base, account)
    finally:
        shutil.rmtree(base)
