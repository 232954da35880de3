"""The file that hosts copy, under plain Node: `sidecar_host.test.js`, with the real daemon."""

import re
import sys
import time
import uuid
from pathlib import Path

from protocol.methods import METHODS
from tests.integration.driver import MARKER, PATIENCE_S, marked
from tests.node.packages import ROOT, NodePackages, node_packages

__all__ = ["node_packages"]

HERE = Path(__file__).parent
ELECTRON = ROOT / "renderer-demo" / "electron"
TESTS = HERE / "sidecar_host.test.js"
SUITE_S = 180.0


def test_a_host_keeps_the_sidecar_running_and_its_windows_served(
    node_packages: NodePackages,
) -> None:
    marker = uuid.uuid4().hex
    env = {
        "SIDECAR": f'"{sys.executable}" -m sidecar',
        "WORKFLOW_SIDECAR_PYTHON": sys.executable,
        MARKER: marker,
    }
    done = node_packages.run("--test", "--test-reporter=tap", TESTS, env=env, timeout=SUITE_S)

    assert done.returncode == 0, done.stdout + done.stderr
    assert re.search(r"^# fail 0$", done.stdout, re.MULTILINE)
    assert re.search(r"^# skipped 0$", done.stdout, re.MULTILINE)
    passed = re.search(r"^# pass (\d+)$", done.stdout, re.MULTILINE)
    assert passed is not None
    assert int(passed[1]) >= TESTS.read_text("utf-8").count("\ntest(")
    deadline = time.monotonic() + PATIENCE_S
    while (left := marked(marker)) and time.monotonic() < deadline:
        time.sleep(0.05)
    assert left == []


def test_the_channels_of_the_host_and_of_the_preload_script_are_those_of_the_protocol() -> None:
    expected = {
        method.name: [str(name) for name in method.params.model_fields]
        for method in METHODS.values()
    }
    for file in ("sidecar-host.js", "preload.js"):
        source = (ELECTRON / file).read_text("utf-8")
        table = re.search(r"const CHANNELS = \{\n(.*?)\n\};", source, re.DOTALL)
        assert table is not None
        rows = re.findall(r'^  "([\w:.]+)": \[(.*)\],$', table[1], re.MULTILINE)
        found = {channel: re.findall(r'"(\w+)"', names) for channel, names in rows}
        assert found == expected, file


def test_the_electron_app_fits_the_types_of_the_protocol_of_node_and_of_electron(
    node_packages: NodePackages,
) -> None:
    done = node_packages.tsc_commonjs(sorted(ELECTRON.glob("*.js")))

    assert (done.returncode, done.stdout) == (0, "")


def test_a_hosts_mistakes_are_found_where_they_are(
    node_packages: NodePackages, tmp_path: Path
) -> None:
    host = tmp_path / "main.js"
    lines = [
        f'const {{ SidecarHost }} = require("{(ELECTRON / "sidecar-host.js").as_posix()}");',
        'const { app, ipcMain } = require("electron");',
        'const sidecar = new SidecarHost({ project: ".", flags: ["--max-parallel", "2"] });',
        "sidecar.forward({ app, ipcMain }, ({ senderFrame }) => senderFrame?.url === app.name);",
        'sidecar.invoke("workflow:load", "a.yaml").then(({ steps }) => steps.length);',
        'new SidecarHost({ command: "x" });  // TS2345',
        'sidecar.invoke("workflow:lod", "a.yaml");  // TS2345',
        'sidecar.invoke("workflow:load", 1);  // TS2345',
        'sidecar.invoke("workflow:list").then(({ steps }) => steps);  // TS2339',
        "sidecar.onEvent((event) => event.data.stderr);  // TS2339",
        "sidecar.forward({ app });  // TS2345",
    ]
    host.write_text("\n".join(lines))
    done = node_packages.tsc_commonjs([host])
    found = set(re.findall(r"main\.js\((\d+),\d+\): error (TS\d+)", done.stdout))

    assert found == {
        (str(number), line.split("// ")[1])
        for number, line in enumerate(lines, 1)
        if "// TS" in line
    }, done.stdout
