"""Secrets everywhere a run can put them, and then looked for in every byte that leaves it.

They are made while the tests run, one for every branch of every shape in the product's table, with
a private key, a web token, and values that only the run knows. Looked at are all events, all
answers but the direct result, the log on stderr and in a file, the history file with its journal,
and what the commands print.
"""

import json
import os
import re
import subprocess
import sys
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import pytest

from tests.integration.conftest import Project, Start, step
from tests.integration.driver import Driver
from tests.unit.sidecar.redaction import samples
from tests.unit.sidecar.redaction.from_shapes import all_secrets

SOAK = bool(os.environ.get("SOAK"))
KEY = samples.private_key()
#: Of no shape, so that only the run can know it.
KNOWN = 'Rosa/tells+of "quiet" ' + samples.letters(11)[::-1]
SHAPED = list(dict.fromkeys([*all_secrets(), samples.jwt()]))
#: Can be a part of a file's name, and of a step's id.
IN_NAMES = [secret for secret in SHAPED if re.fullmatch(r"[\w.=~+%-]{1,120}", secret)]
IN_IDS = [secret for secret in SHAPED if re.fullmatch(r"[\w-]{1,120}", secret)]

STDERR = """
import json, os, sys, time
given = json.load(sys.stdin)
for secret in given["split"]:
    data = secret.encode()
    for cut in range(len(data) + 1):
        os.write(2, b"got " + data[:cut])
        os.write(2, data[cut:] + b" here\\n")
for secret in given["secrets"]:
    print("printed", secret, file=sys.stderr)
print(given["key"], file=sys.stderr)
os.write(2, b"x" * 4090 + b" " + given["known"].encode() + b"\\n")
print(json.dumps({"as_output": given, **{secret: 1 for secret in given["secrets"][:40]}}))
"""
RAISES = """
import json, sys
given = json.load(sys.stdin)
raise ValueError("tried " + " and ".join(given["secrets"]))
"""


@pytest.fixture
def shown(start: Start, project: Project, tmp_path: Path) -> "Shown":
    """A daemon that logs all it can, subscribed to all there is."""
    driver = start(
        *("--log-level", "debug", "--log-file", str(tmp_path / "log"), "--allow-env", "DB_PASS_X"),
        env={"DB_PASS_X": KNOWN},
    )
    driver.call("workflow:execution:subscribe", {"include": ["step_output", "step_skipped"]})
    return Shown(driver, project.path, tmp_path / "log")


class Shown:
    """All that a daemon shows."""

    def __init__(self, driver: Driver, project: Path, log: Path) -> None:
        self.driver = driver
        self.project = project
        self._log = log
        self._more: list[bytes] = []

    def run(self, workflow: Any, **params: Any) -> Any:
        """Run a workflow and look at its details; the direct result, which is real."""
        result = self.driver.call("workflow:execute", {"workflow": workflow, **params}, 60)
        detail = {"execution_id": result["execution_id"]}
        self.look_at(self.driver.call("workflow:execution:get", detail))
        history = {"workflow_id": result["workflow_id"]}
        self.look_at(self.driver.call("workflow:execution:history", history))
        return result

    def look_at(self, value: Any) -> None:
        """Look at this as well in the end."""
        self._more.append(value if isinstance(value, bytes) else json.dumps(value).encode())

    def command(self, *arguments: str) -> str:
        """What a command prints, on both streams."""
        ended = subprocess.run(
            [sys.executable, "-m", "sidecar", *arguments],
            cwd=self.project,
            env={**os.environ, "DB_PASS_X": KNOWN},
            capture_output=True,
            timeout=60,
            check=False,
        )
        self.look_at(ended.stdout + ended.stderr)
        return (ended.stdout + ended.stderr).decode()

    def holds(self, secrets: Iterable[str]) -> list[str]:
        """Which of the secrets stand anywhere, once the daemon has ended."""
        self.driver.close_stdin()
        assert self.driver.wait() == 0
        history = sorted((self.project / ".workflow-sidecar").rglob("history.db*"))
        assert history
        places: dict[str, bytes] = {
            "events": json.dumps(self.driver.events).encode(),
            "log": "".join(self.driver.log_lines).encode(),
            "log file": self._log.read_bytes(),
            "others": b"\n".join(self._more),
            **{file.name: file.read_bytes() for file in history},
        }
        assert all(len(data) > 100 for name, data in places.items() if name != "others")
        forms = {secret: _forms(secret) for secret in secrets}
        return [
            f"{name}: {secret}"
            for name, data in places.items()
            for secret, looked_for in forms.items()
            if any(form in data for form in looked_for)
        ]


def _forms(secret: str) -> list[bytes]:
    """A secret and both halves of it, as they are and as JSON has them."""
    half = len(secret) // 2
    parts = [secret, secret[:half], secret[half:]] if len(secret) >= 40 else [secret]
    return [form for part in parts for form in {part.encode(), json.dumps(part)[1:-1].encode()}]


def test_inputs_outputs_stderr_and_keys_show_no_secret(shown: Shown, project: Project) -> None:
    script = project.script("stderr.py", STDERR)
    given = {
        "secrets": SHAPED,
        "nested": {"a": [{"b": {"c": [f"in {secret}." for secret in SHAPED]}}]},
        "json": json.dumps({"deep": json.dumps(SHAPED)}),
        "list": [SHAPED[0], [SHAPED[1]]],
        "split": [SHAPED[3], KNOWN, samples.jwt()],
        "key": KEY,
        "known": "${env.DB_PASS_X}",
        "password": "hunter-2-of-this-run",
        "note": "${workflow.inputs.note}",
    }
    name = project.workflow(
        "everywhere",
        step("a", script, inputs=given),
        step("b", "./echo.py", inputs={"x": "${steps.a.outputs.as_output}"}),
        {"id": "c", "type": "output", "message": "${env.DB_PASS_X} ${steps.b.outputs.x.key}"},
        inputs=[{"id": "note", "type": "string", "secret": True}],
    )
    result = shown.run(name, inputs={"note": "kept by me alone"})
    assert result["success"], result
    # The next step and the caller get what is real.
    assert result["outputs"]["b"]["x"]["secrets"] == SHAPED
    assert result["outputs"]["c"]["message"] == f"{KNOWN} {KEY}"
    outputs = shown.driver.events_of("step_output")
    assert len(outputs) > 300
    assert any(event["data"]["text"] == "got [REDACTED] here" for event in outputs)
    known = [KNOWN, "hunter-2-of-this-run", "kept by me alone", *KEY.split("\n")[1:4]]
    assert shown.holds([*SHAPED, *known]) == []


def test_exceptions_and_source_lines_show_no_secret(shown: Shown, project: Project) -> None:
    project.script("raises.py", RAISES)
    lines = [f"def f{n}(): f{n + 1}()  # {secret}" for n, secret in enumerate(SHAPED)]
    last = f"def f{len(SHAPED)}(): raise RuntimeError('the end')"
    project.script("source.py", "\n".join(["import sys", *lines, last, "f0()"]))
    for script in ("raises.py", "source.py"):
        name = project.workflow(script[:-3], step("a", f"./{script}", inputs={"secrets": SHAPED}))
        result = shown.run(name)
        assert result["error_type"] in ("ValueError", "RuntimeError")
    (told, source) = shown.driver.events_of("step_failed")
    assert "tried [REDACTED] and [REDACTED]" in told["data"]["error"]
    assert "def f" in source["data"]["stack_trace"]
    assert shown.holds(SHAPED) == []


def test_names_of_files_and_steps_show_no_secret(shown: Shown, project: Project) -> None:
    chosen = IN_NAMES if SOAK else IN_NAMES[:: len(IN_NAMES) // 8]
    for number, secret in enumerate(chosen):
        script = project.script(f"of_{secret}.py", "import sys\nraise OSError(sys.argv[0])\n")
        missing = f"./gone_{secret}.py"
        for way, path in (("raises", script), ("missing", missing)):
            assert not shown.run(project.workflow(f"{way}-{number}", step("a", path)))["success"]
    steps = [
        {"id": f"{before}{secret}", "type": "output", "message": "m", "label": f"L {secret}"}
        for secret in IN_IDS
        for before in ("s_",)
        if len(secret) < 100
    ]
    named = {"workflow": {"name": f"named {SHAPED[7]}"}, "steps": [step("a", "./echo.py")]}
    listen = {"workflow_id": f"named {SHAPED[7]}", "subscriber": "x"}
    shown.driver.call("workflow:execution:subscribe", listen)
    shown.run(named)
    of_name = {"workflow_id": f"named {SHAPED[7]}"}
    (kept,) = shown.driver.call("workflow:execution:history", of_name)
    assert kept["workflow_name"] == kept["workflow_id"] == "named [REDACTED]"
    assert shown.driver.call("workflow:execution:unsubscribe", listen)["unsubscribed"]
    result = shown.run(project.workflow("ids", *steps))
    assert set(result["outputs"]) == {step["id"] for step in steps}
    started = shown.driver.events_of("workflow_started", workflow_id="ids")[0]
    assert len(set(started["data"]["step_ids"])) == len(steps), "they stay unlike each other"
    assert {
        event["step_id"] for event in shown.driver.events_of("step_completed", workflow_id="ids")
    } == set(started["data"]["step_ids"])
    assert shown.holds([*chosen, *IN_IDS]) == []


def test_problems_of_files_and_params_show_no_secret(shown: Shown, project: Project) -> None:
    ask = shown.driver.call
    for number, secret in enumerate(SHAPED):
        quoted = json.dumps(secret)
        broken: list[Callable[[str], str]] = [
            lambda text: f"workflow: {{name: x}}\nsteps: {text}\n",
            lambda text: f"workflow: {{name: x}}\n{text}: 1\nsteps: []\n",
            lambda text: f"workflow: {{name: x}}\nsteps: [{{id: a, type: {text}, script: x.py}}]\n",
            lambda text: (
                f"workflow: {{name: x}}\nsteps: [{{id: a, type: python, timeout: {text}}}]"
            ),
            lambda text: f"a: {text} : : [\n",
        ]
        texts = (
            [make(quoted) for make in broken] if number % 4 == 0 or SOAK else [broken[0](quoted)]
        )
        for text in texts:
            found = ask("workflow:validate", {"workflow": text})
            assert not found["valid"]
            shown.look_at(found)
        if number % 4 == 0 or SOAK:
            shown.look_at(shown.driver.error("workflow:load", {"path": f"{secret}.yaml"}))
            shown.look_at(shown.driver.error(f"workflow:{secret}"))
            shown.look_at(shown.driver.error("workflow:execute", {"workflow": {secret: 1}}))
            shown.look_at(shown.driver.error("workflow:execution:get", {"execution_id": secret}))
            shown.look_at(shown.driver.error("workflow:list", {secret: secret}))
    declared = [
        {"id": "api_key", "type": "number"},
        {"id": "n", "type": "string", "pattern": "^a$"},
    ]
    name = project.workflow("typed", step("a", "./echo.py"), inputs=declared)
    given = {"api_key": "letters not a number", "n": SHAPED[0], SHAPED[1]: 1}
    error = shown.driver.error("workflow:execute", {"workflow": name, "inputs": given})
    shown.look_at(error)
    assert len(error["data"]["errors"]) == 3
    (project.path / "broken.yaml").write_text(f"workflow: {{name: x}}\nsteps: {SHAPED[0]}\n")
    shown.look_at(ask("workflow:list"))
    shown.run({"workflow": {"name": "any"}, "steps": [step("a", "./echo.py")]})
    assert shown.holds([*SHAPED, "letters not a number"]) == []


def test_commands_print_no_secret(shown: Shown, project: Project) -> None:
    project.script("raises.py", RAISES)
    given = {"secrets": SHAPED[:40], "known": "${env.DB_PASS_X}"}
    inputs = [{"id": "api_key", "type": "string", "default": "default-of-the-key"}]
    name = project.workflow("fails", step("a", "./raises.py", inputs=given), inputs=inputs)
    said = {"id": "a", "type": "output", "message": f"said {SHAPED[0]} ${{env.DB_PASS_X}}"}
    mode = {"id": "mode", "type": "string", "options": ["a", "b"], "default": "a"}
    says = project.workflow("says", said, inputs=[*inputs, mode])
    flags = ("--allow-env", "DB_PASS_X", "--python", sys.executable)
    for secret in SHAPED[::60]:
        (project.path / "broken.yaml").write_text(f"steps: {json.dumps(secret)}\n")
        shown.command("validate", "broken.yaml")
        shown.command("run", "broken.yaml")
        told = shown.command("run", says, *flags, "--input", f"mode={secret}")
        assert "input mode: expected one of a, b, got" in told
        shown.command("validate", f"{secret}.yaml")
    assert "tried [REDACTED]" in shown.command("run", name, *flags)
    assert "said [REDACTED] [REDACTED]" in shown.command("run", says, *flags)
    assert "[REDACTED]" in shown.command("history")
    shown.command("history", "--json")
    shown.run(says)
    assert shown.holds([*SHAPED, KNOWN, "default-of-the-key"]) == []


def test_what_only_looks_like_a_secret_comes_back_byte_for_byte(
    shown: Shown, project: Project
) -> None:
    name = project.workflow("harmless", step("a", "./echo.py", inputs={"x": samples.HARMLESS}))
    (project.path / "harmless.yaml").write_text(
        (project.path / "harmless.yaml").read_text().replace("${env.", "$${env.")
    )
    assert shown.run(name)["success"]
    completed = shown.driver.wait_for_event("step_completed", workflow_id="harmless")
    assert completed["data"]["outputs"]["x"] == samples.HARMLESS
