"use strict";
/** Node-RED: a flow of exec nodes behind an HTTP endpoint. A line on stdin is one run. */

const http = require("node:http");
const os = require("node:os");
const fs = require("node:fs");
const path = require("node:path");
const readline = require("node:readline");
const RED = require("node-red");

const [, , python, script, steps] = process.argv;
const command = `"${python}" "${script}" < /dev/null`;

/** @param {number} n */
const step = (n) => ({
  id: `s${n}`, type: "exec", z: "flow", command, addpay: "", append: "", useSpawn: "false", timer: "",
  wires: [[n + 1 < Number(steps) ? `s${n + 1}` : "out"], [], []],
});
const flow = [
  { id: "flow", type: "tab", label: "light" },
  { id: "in", type: "http in", z: "flow", url: "/run", method: "get", wires: [["s0"]] },
  ...Array.from({ length: Number(steps) }, (_, n) => step(n)),
  { id: "out", type: "http response", z: "flow", wires: [] },
];

async function main() {
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), "node-red-"));
  fs.writeFileSync(path.join(folder, "flows.json"), JSON.stringify(flow));
  const server = http.createServer((request, response) => RED.httpNode(request, response));
  RED.init(server, {
    userDir: folder, flowFile: "flows.json", httpAdminRoot: false, httpNodeRoot: "/",
    logging: { console: { level: "error" } }, telemetry: { enabled: false },
  });
  await RED.start();
  await new Promise((done) => RED.events.once("flows:started", done));
  await new Promise((done) => server.listen(0, "127.0.0.1", () => done(undefined)));
  const { port } = /** @type {import("node:net").AddressInfo} */ (server.address());
  const say = (/** @type {object} */ value) => process.stdout.write(`${JSON.stringify(value)}\n`);
  say({ version: RED.version() });
  for await (const _ of readline.createInterface({ input: process.stdin })) {
    const start = performance.now();
    const answer = await fetch(`http://127.0.0.1:${port}/run`);
    const output = JSON.parse(await answer.text());
    say({ took_ms: performance.now() - start, output });
  }
  await RED.stop();
  fs.rmSync(folder, { recursive: true });
  process.exit(0);
}

void main();
