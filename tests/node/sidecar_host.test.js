// sidecar-host.js under plain Node, with the real daemon: `node --test sidecar_host.test.js`.
// SIDECAR names the daemon, as WORKFLOW_SIDECAR would. A sidecar that misbehaves is a script of
// Node's that stands in its place.
"use strict";

const assert = require("node:assert/strict");
const { spawn } = require("node:child_process");
const { EventEmitter, once } = require("node:events");
const fs = require("node:fs");
const os = require("node:os");
const path = require("node:path");
const { test } = require("node:test");

const HOST = path.join(__dirname, "..", "..", "renderer-demo", "electron", "sidecar-host.js");
const { SidecarHost } = require(HOST);

const DAEMON = process.env.SIDECAR;
const EVENT = "workflow:execution:event";
/** A test that waits so long has failed. */
const PATIENCE_MS = 20_000;
const HANG = { name: "hang.py", text: "import time\nwhile True: time.sleep(1)\n" };
const ECHO = { name: "echo.py", text: "import json, sys\nprint(json.dumps(json.load(sys.stdin)))\n" };
const TALK = { name: "talk.py", text: 'import sys\nprint("a line", file=sys.stderr)\nprint("{}")\n' };
const SAY = { workflow: { id: "say", name: "Say" }, steps: [{ id: "hi", type: "output", message: "hi" }] };
const ALL_OF_SAY = ["workflow_started", "step_started", "step_completed", "workflow_completed"];

const scripted = (id) => ({ workflow: { id, name: id }, steps: [{ id, type: "python", script: `./${id}.py` }] });

/** A folder with two scripts; gone with the test. */
function project(t) {
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), "sidecar host "));
  t.after(() => fs.rmSync(folder, { recursive: true, force: true }));
  for (const { name, text } of [HANG, ECHO, TALK]) fs.writeFileSync(path.join(folder, name), text);
  return folder;
}

/** A host, closed with the test; `states` and `events` hold what it told. */
function host(t, options = {}) {
  const made = new SidecarHost({ project: project(t), command: DAEMON, initialDelayMs: 10, ...options });
  const told = { states: [], events: [], log: [] };
  made.onState((state) => told.states.push(state));
  made.onEvent((event) => told.events.push(event));
  made.onLog((line) => told.log.push(line));
  t.after(() => made.close());
  return Object.assign(made, told);
}

/** A program of Node's in the sidecar's place, as `command`. */
function standIn(t, text) {
  const file = path.join(project(t), "stand in.js");
  fs.writeFileSync(file, text);
  return [process.execPath, file];
}

/** Answers like a sidecar of that version, then does `more` for each other `request`. */
const answering = (version, more = "") => `
  const reply = (id, result) => process.stdout.write(JSON.stringify({ jsonrpc: "2.0", id, result }) + "\\n");
  require("node:readline").createInterface({ input: process.stdin }).on("line", (line) => {
    const request = JSON.parse(line);
    if (request.method === "sidecar:info") reply(request.id, { protocol_version: "${version}" });
    else { ${more} }
  });`;

/** Resolves when `holds`, looked at whenever the host tells something. */
function until(sidecar, holds) {
  return new Promise((resolve, reject) => {
    const ends = [];
    const timer = setTimeout(() => reject(new Error("waited in vain")), PATIENCE_MS);
    const look = () => {
      if (!holds()) return;
      clearTimeout(timer);
      ends.forEach((end) => end());
      resolve();
    };
    ends.push(sidecar.onState(look), sidecar.onEvent(look), sidecar.onLog(look));
    look();
  });
}

const isAlive = (pid) => {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
};
const names = (sidecar) => sidecar.states.map(({ state }) => state);
const gone = (pattern) => (error) =>
  error.code === -32000 && error.data.type === "SidecarGone" && pattern.test(error.message);

// --- requests --------------------------------------------------------------------------------

test("the first request starts the sidecar, and params left out in the middle keep their defaults", async (t) => {
  const sidecar = host(t);
  assert.equal(sidecar.state.state, "closed");
  const execution_id = "0f8fad5b-d9cb-469f-a165-70867728950e";
  const result = await sidecar.invoke("workflow:execute", SAY, undefined, { execution_id });
  assert.equal(result.execution_id, execution_id);
  assert.equal(result.outputs.hi.message, "hi");
  assert.deepEqual(names(sidecar), ["starting", "ready"]);
});

test("requests run side by side and each gets its own answer", async (t) => {
  const sidecar = host(t);
  const { execution_id } = await sidecar.invoke("workflow:execution:start", scripted("hang"));
  const many = Array.from({ length: 50 }, (_, n) =>
    sidecar.invoke("workflow:validate", { workflow: { name: `w${n}` }, steps: [], [`key${n}`]: 1 }));
  for (const [n, { errors }] of (await Promise.all(many)).entries())
    assert.ok(errors.some(({ message, field }) => `${message} ${field}`.includes(`key${n}`)), String(n));
  assert.deepEqual(await sidecar.invoke("workflow:execution:cancel", execution_id), { cancelled: true });
});

test("an error of the wire keeps its code and its data", async (t) => {
  const sidecar = host(t);
  const failed = { name: "SidecarError", code: -32002 };
  await assert.rejects(sidecar.invoke("workflow:execute", { steps: [] }), (error) => {
    assert.equal(error.name, failed.name);
    assert.equal(error.code, failed.code);
    assert.equal(error.data.type, "WorkflowInvalid");
    assert.ok(error.data.errors.length > 0);
    return true;
  });
});

test("what cannot be sent is refused before it is sent", async (t) => {
  const sidecar = host(t);
  await assert.rejects(sidecar.invoke("workflow:delete"), /there is no channel workflow:delete/);
  await assert.rejects(sidecar.invoke("constructor"), /there is no channel constructor/);
  await assert.rejects(sidecar.invoke("workflow:load", "a", "b"), /takes 1 arguments, got 2/);
  assert.equal(sidecar.state.state, "closed");
  await assert.rejects(sidecar.invoke("workflow:execute", SAY, { n: 1n }), /workflow:execute: not JSON/);
  const large = "x".repeat(64 * 1024 * 1024);
  await assert.rejects(sidecar.invoke("workflow:load", large), (error) => error.code === -32600);
  assert.equal((await sidecar.invoke("workflow:execute", SAY)).success, true);
});

test("a message of several chunks arrives whole", async (t) => {
  const sidecar = host(t);
  const text = "ä€😀\n".repeat(300_000);
  const result = await sidecar.invoke("workflow:execute", { ...scripted("echo"), steps: [
    { id: "echo", type: "python", script: "./echo.py", inputs: { text } }] });
  assert.equal(result.steps.echo.outputs.text, text);
});

test("whoever subscribes has the snapshot before the events that came with it", async (t) => {
  // All in one write, as a busy daemon's pipe has it.
  const event = (seq) => ({ jsonrpc: "2.0", method: EVENT, params: { workflow_id: "w", event_type: "step_started", seq } });
  const text = answering("1.0.0", `
    const answer = { jsonrpc: "2.0", id: request.id, result: { active: [{ seq: 7 }] } };
    const all = [answer, ${[8, 9].map((seq) => JSON.stringify(event(seq)))}];
    process.stdout.write(all.map((message) => JSON.stringify(message) + "\\n").join(""));`);
  const sidecar = host(t, { command: standIn(t, text) });
  const order = [];
  sidecar.onEvent(({ seq }) => order.push(seq));
  const app = new FakeApp();
  sidecar.forward({ app, ipcMain: app });
  const window = app.window(1);
  window.on("event", ({ seq }) => order.push(`window ${seq}`));
  const asked = [sidecar.invoke("workflow:execution:subscribe"), window.invoke("workflow:execution:subscribe")];
  const note = (who) => (answer) => order.push(`${who} snapshot ${answer.active[0].seq}`);
  await asked[0].then(note("own"));
  await asked[1].then(note("window"));
  await eventually(() => order.length >= 8);
  assert.ok(order.indexOf("own snapshot 7") < order.indexOf(8), String(order));
  assert.ok(order.indexOf("window snapshot 7") < order.indexOf("window 8"), String(order));
  // The second answer came with events for both.
  assert.deepEqual(order.filter((entry) => typeof entry === "number"), [8, 9, 8, 9]);
});

test("events come only as long as they are asked for, optional ones only when named", async (t) => {
  const sidecar = host(t);
  const of = (type) => sidecar.events.filter(({ event_type }) => event_type === type).length;
  await sidecar.invoke("workflow:execution:subscribe", "say");
  await sidecar.invoke("workflow:execute", { ...SAY, workflow: { id: "other", name: "Other" } });
  assert.equal(sidecar.events.length, 0);
  await sidecar.invoke("workflow:execute", SAY);
  assert.deepEqual(sidecar.events.map(({ event_type }) => event_type), ALL_OF_SAY);
  assert.deepEqual(await sidecar.invoke("workflow:execution:unsubscribe"), { unsubscribed: true });
  await sidecar.invoke("workflow:execute", SAY);
  assert.equal(of("workflow_started"), 1);
  await sidecar.invoke("workflow:execution:subscribe", "*", "lines", ["step_output"]);
  await sidecar.invoke("workflow:execute", scripted("talk"));
  assert.deepEqual([of("workflow_started"), of("step_output")], [2, 1]);
});

test("a listener that throws keeps nothing from the others, and is not hushed up", async (t) => {
  const program = `
    const { SidecarHost } = require(${JSON.stringify(HOST)});
    const sidecar = new SidecarHost(${JSON.stringify({ project: project(t), command: DAEMON })});
    const seen = [];
    process.on("uncaughtException", ({ message }) => seen.push(message));
    sidecar.onEvent(({ event_type }) => {
      if (event_type === "workflow_started") throw new Error("a mistake of the app");
    });
    sidecar.onEvent(({ event_type }) => seen.push(event_type));
    (async () => {
      await sidecar.invoke("workflow:execution:subscribe");
      await sidecar.invoke("workflow:execute", ${JSON.stringify(SAY)});
      await sidecar.close();
      console.log(JSON.stringify(seen.sort()));
    })();`;
  const app = spawn(process.execPath, ["-e", program], { stdio: ["ignore", "pipe", "inherit"] });
  let out = "";
  app.stdout.on("data", (data) => (out += data));
  await once(app, "close");
  assert.deepEqual(JSON.parse(out), ["a mistake of the app", ...ALL_OF_SAY].sort());
});

test("whoever no longer listens hears nothing, and nobody else loses anything", async (t) => {
  const sidecar = host(t);
  let heard = 0;
  const listener = () => (heard += 1);
  const end = sidecar.onEvent(listener);
  sidecar.onEvent(listener);
  end();
  await sidecar.invoke("workflow:execution:subscribe");
  await sidecar.invoke("workflow:execute", SAY);
  assert.equal(heard, 4);
});

// --- the command -----------------------------------------------------------------------------

const wordsOfDaemon = () => DAEMON.match(/"[^"]*"|\S+/g).map((word) => word.replaceAll('"', ""));

test("the command is the option, else the environment's, else workflow-sidecar on the PATH", async (t) => {
  const folder = path.join(project(t), "a folder");
  fs.mkdirSync(folder);
  const file = path.join(folder, "workflow-sidecar");
  const [program, ...args] = wordsOfDaemon();
  fs.writeFileSync(file, `#!/bin/sh\nexec '${program}' ${args.map((arg) => `'${arg}'`).join(" ")} "$@"\n`);
  fs.chmodSync(file, 0o755);
  const env = { ...process.env };
  delete env.WORKFLOW_SIDECAR;
  const ways = {
    "a list": { command: [program, ...args], env: { ...env, WORKFLOW_SIDECAR: "/nothing" } },
    "a path with a space": { command: file },
    "a line with quotes": { command: `"${program}" ${args.join(" ")}` },
    "the environment": { command: undefined, env: { ...env, WORKFLOW_SIDECAR: file } },
    "a line in the environment": { command: undefined, env: { ...env, WORKFLOW_SIDECAR: DAEMON } },
    "the PATH": { command: undefined, env: { ...env, PATH: `${folder}:${env.PATH}` } },
    "an empty variable": { command: undefined, env: { ...env, WORKFLOW_SIDECAR: "", PATH: `${folder}:${env.PATH}` } },
  };
  await Promise.all(
    Object.entries(ways).map(async ([way, options]) => {
      const sidecar = host(t, options);
      assert.equal((await sidecar.invoke("workflow:execute", SAY)).success, true, way);
      await sidecar.close();
    }),
  );
});

test("flags reach the sidecar", async (t) => {
  const env = { ...process.env, GREETING: "hello there" };
  const sidecar = host(t, { flags: ["--allow-env", "GREETING"], env });
  const result = await sidecar.invoke("workflow:execute", {
    ...SAY,
    steps: [{ id: "hi", type: "output", message: "${env.GREETING}" }],
  });
  assert.equal(result.outputs.hi.message, "hello there");
});

test("a program that is not there is told with what to do, and not tried again", async (t) => {
  const sidecar = host(t, { command: "no-such-sidecar" });
  await assert.rejects(
    sidecar.invoke("workflow:list"),
    gone(/no-such-sidecar: it was not found; install it .* WORKFLOW_SIDECAR or `command`/),
  );
  assert.deepEqual(names(sidecar), ["starting", "failed"]);
  await assert.rejects(sidecar.invoke("workflow:list"), gone(/it was not found/));
  await sidecar.close();
  assert.equal(sidecar.state.state, "closed");
});

test("a call that the sidecar cannot use is told in its words, and not tried again", async (t) => {
  const sidecar = host(t, { project: "/no/such/folder" });
  await assert.rejects(sidecar.invoke("workflow:list"), gone(/exit status 2; its last words: .*\/no\/such\/folder/));
  assert.deepEqual(names(sidecar), ["starting", "failed"]);
});

test("a batch file of Windows is refused, for it would need a shell", async (t) => {
  const platform = Object.getOwnPropertyDescriptor(process, "platform");
  t.after(() => Object.defineProperty(process, "platform", platform));
  for (const file of ["C:\\tools\\workflow-sidecar.cmd", "sidecar.BAT"]) {
    const sidecar = host(t, { command: [file] });
    Object.defineProperty(process, "platform", { ...platform, value: "win32" });
    await assert.rejects(sidecar.invoke("workflow:list"), gone(/is a batch file .* name the \.exe/));
    Object.defineProperty(process, "platform", platform);
    assert.equal(sidecar.state.state, "failed");
  }
});

// --- a sidecar that goes away ----------------------------------------------------------------

test("a sidecar that is killed: requests say so, subscriptions heal, the run is in the history", async (t) => {
  const sidecar = host(t);
  await sidecar.invoke("workflow:execution:subscribe", "*", "", ["step_skipped"]);
  await sidecar.invoke("workflow:execution:start", scripted("hang"));
  const run = sidecar.invoke("workflow:execute", scripted("hang"));
  await until(sidecar, () => sidecar.events.filter(({ event_type }) => event_type === "step_started").length === 2);
  const { pid } = sidecar;
  process.kill(pid, "SIGKILL");
  await assert.rejects(run, gone(/workflow:execute: no answer: the sidecar was ended by SIGKILL$/));
  assert.equal(sidecar.state.state, "restarting");
  assert.equal(sidecar.state.failures, 1);
  assert.ok(Math.abs(sidecar.state.retryAtMs - Date.now()) < 5_000);
  // Asked while it is away, answered by the next one.
  const [kept] = await sidecar.invoke("workflow:execution:history", "hang");
  assert.equal(kept.status, "failed");
  assert.match(kept.error, /^Interrupted/);
  assert.notEqual(sidecar.pid, pid);
  assert.deepEqual(sidecar.state, { state: "ready", failures: 0, error: null, retryAtMs: null });
  sidecar.events.length = 0;
  await sidecar.invoke("workflow:execute", SAY);
  assert.deepEqual(sidecar.events.map(({ event_type }) => event_type), ALL_OF_SAY);
});

test("what was unsubscribed before a restart stays so", async (t) => {
  const sidecar = host(t);
  await sidecar.invoke("workflow:execution:subscribe", "*", "one");
  await sidecar.invoke("workflow:execution:subscribe", "say", "two");
  await sidecar.invoke("workflow:execution:unsubscribe", null, "one");
  process.kill(sidecar.pid, "SIGKILL");
  await until(sidecar, () => sidecar.state.state === "restarting");
  await sidecar.invoke("workflow:execute", { ...SAY, workflow: { id: "other", name: "Other" } });
  assert.deepEqual(sidecar.events, []);
  await sidecar.invoke("workflow:execution:unsubscribe", "say", "two");
  await sidecar.invoke("workflow:execute", SAY);
  assert.deepEqual(sidecar.events, []);
});

test("one that always ends at once is started again ever later, then given up", async (t) => {
  const command = standIn(t, 'console.error("no luck today"); process.exit(3);');
  const sidecar = host(t, { command, maxRestarts: 4, initialDelayMs: 20, maxDelayMs: 60 });
  // The clock stands still, so that what is told can be reckoned with however busy the machine is.
  const now = Date.now();
  t.mock.method(Date, "now", () => now);
  const delays = [];
  sidecar.onState(({ state, retryAtMs }) => state === "restarting" && delays.push(retryAtMs - now));
  await assert.rejects(
    sidecar.invoke("workflow:list"),
    gone(/exit status 3; its last words: no luck today; given up after 4 restarts/),
  );
  assert.deepEqual(delays, [20, 40, 60, 60]);
  assert.deepEqual(names(sidecar).slice(-3), ["restarting", "starting", "failed"]);
  assert.equal(sidecar.state.failures, 5);
  await assert.rejects(sidecar.invoke("workflow:list"), gone(/no luck today/));
  // Whoever asks for it by name gets another round.
  sidecar.start();
  assert.equal(sidecar.state.state, "starting");
  await until(sidecar, () => sidecar.state.state === "failed");
  assert.equal(delays.length, 8);
});

test("restarts are counted anew after it has served for a while", async (t) => {
  const sidecar = host(t, { maxRestarts: 1, stableMs: 0 });
  for (let kills = 0; kills < 3; kills++) {
    await sidecar.invoke("workflow:list");
    process.kill(sidecar.pid, "SIGKILL");
    await until(sidecar, () => sidecar.state.state === "restarting");
  }
  await sidecar.invoke("workflow:list");
});

test("a start in a wait does not wait", async (t) => {
  const sidecar = host(t, { initialDelayMs: 600_000, maxDelayMs: 600_000 });
  await sidecar.invoke("workflow:list");
  process.kill(sidecar.pid, "SIGKILL");
  await until(sidecar, () => sidecar.state.state === "restarting");
  sidecar.start();
  sidecar.start();
  await sidecar.invoke("workflow:list");
  assert.deepEqual(names(sidecar), ["starting", "ready", "restarting", "starting", "ready"]);
});

for (const [what, text, reason] of [
  ["prints something else", 'console.log("Hello!"); setInterval(() => {}, 1000);', /wrote something else than JSON-RPC: Hello!/],
  ["prints JSON that is no message", 'console.log("null"); setInterval(() => {}, 1000);', /something else than JSON-RPC: null/],
  ["never answers", "setInterval(() => {}, 1000);", /did not answer within 300 ms; is it workflow-sidecar\?/],
])
  test(`a program that ${what} is ended, with the reason`, async (t) => {
    const sidecar = host(t, { command: standIn(t, text), maxRestarts: 0, startMs: what.startsWith("never") ? 300 : 20_000 });
    const asked = sidecar.invoke("workflow:list");
    const { pid } = sidecar;
    await assert.rejects(asked, gone(reason));
    assert.equal(isAlive(pid), false);
  });

test("a sidecar of another protocol is not used", async (t) => {
  const sidecar = host(t, { command: standIn(t, answering("2.0.0")) });
  await assert.rejects(sidecar.invoke("workflow:list"), gone(/speaks version 2\.0\.0 .* this app speaks 1/));
  assert.deepEqual(names(sidecar), ["starting", "failed"]);
});

test("one that closes its stdout and lives on is ended", async (t) => {
  const text = answering("1.9.0", "process.stdout.end(); setInterval(() => {}, 1000);");
  const sidecar = host(t, { command: standIn(t, text), maxRestarts: 0, graceMs: 50 });
  await assert.rejects(sidecar.invoke("workflow:list"), gone(/ended by SIGKILL/));
});

test("an answer that came before the end counts", async (t) => {
  const text = answering("1.0.0", "reply(request.id, []); process.stdout.write('{\"half', () => process.exit(4));");
  const sidecar = host(t, { command: standIn(t, text), maxRestarts: 0 });
  assert.deepEqual(await sidecar.invoke("workflow:list"), []);
  await until(sidecar, () => sidecar.state.state === "failed");
  assert.match(sidecar.state.error, /exit status 4/);
});

test("what it leaves behind does not keep its end from being seen", async (t) => {
  const folder = project(t);
  const text = `
    const { spawn } = require("node:child_process");
    const stdio = ["ignore", "inherit", "inherit"];
    const left = spawn(process.execPath, ["-e", "setTimeout(() => {}, 60000)"], { stdio, detached: true });
    require("node:fs").writeFileSync(${JSON.stringify(path.join(folder, "left"))}, String(left.pid));
    process.exit(3);`;
  const sidecar = host(t, { command: standIn(t, text), maxRestarts: 0 });
  await assert.rejects(sidecar.invoke("workflow:list"), gone(/exit status 3/));
  const left = Number(fs.readFileSync(path.join(folder, "left"), "utf8"));
  assert.equal(isAlive(left), true);
  process.kill(left, "SIGKILL");
});

// --- the end ---------------------------------------------------------------------------------

test("closing ends the run in order, answers it, and leaves no process", async (t) => {
  const sidecar = host(t);
  await sidecar.invoke("workflow:execution:subscribe");
  const run = sidecar.invoke("workflow:execute", scripted("hang"));
  await until(sidecar, () => sidecar.events.some(({ event_type }) => event_type === "step_started"));
  const { pid } = sidecar;
  const closing = sidecar.close();
  assert.equal(sidecar.close(), closing);
  await assert.rejects(sidecar.invoke("workflow:list"), gone(/the sidecar was closed/));
  await closing;
  assert.equal(isAlive(pid), false);
  assert.equal((await run).status, "cancelled");
  assert.deepEqual(names(sidecar), ["starting", "ready", "closed"]);
  // What is closed can be started again.
  sidecar.start();
  assert.equal((await sidecar.invoke("workflow:execution:history", "hang"))[0].status, "cancelled");
});

test("one that does not end is killed", async (t) => {
  const text = answering("1.0.0", "setInterval(() => {}, 1000); process.on('SIGTERM', () => {}); reply(request.id, []);");
  const sidecar = host(t, { command: standIn(t, text), graceMs: 100 });
  await sidecar.invoke("workflow:list");
  const { pid } = sidecar;
  const waiting = sidecar.invoke("workflow:execution:active");
  await sidecar.close();
  assert.equal(isAlive(pid), false);
  assert.deepEqual(await waiting, []);
  assert.equal(sidecar.state.state, "closed");
});

test("closing one that starts, waits or was never started ends at once", async (t) => {
  const never = host(t);
  await never.close();
  assert.deepEqual(names(never), ["closed"]);

  const waiting = host(t, { command: standIn(t, "process.exit(1)"), initialDelayMs: 600_000, maxDelayMs: 600_000 });
  const asked = waiting.invoke("workflow:list");
  await until(waiting, () => waiting.state.state === "restarting");
  const closing = waiting.close();
  await assert.rejects(asked, gone(/the sidecar was closed/));
  await closing;

  const starting = host(t);
  const early = starting.invoke("workflow:list");
  await Promise.all([starting.close(), assert.rejects(early, gone(/the sidecar was closed/))]);
  assert.equal(starting.state.state, "closed");
});

test("a shutdown that was asked for is no reason to start again", async (t) => {
  const sidecar = host(t);
  assert.deepEqual(await sidecar.invoke("sidecar:shutdown"), {});
  await until(sidecar, () => sidecar.state.state === "closed");
  await assert.rejects(sidecar.invoke("workflow:list"), gone(/was shut down/));
  sidecar.start();
  await sidecar.invoke("workflow:list");
});

test("a host that is killed leaves neither sidecar nor script", async (t) => {
  const folder = project(t);
  fs.writeFileSync(path.join(folder, "hang.py"), `
import os, pathlib, time
pathlib.Path("pid.part").write_text(str(os.getpid()))
os.replace("pid.part", "pid")
while True: time.sleep(1)
`);
  const program = `
    const { SidecarHost } = require(${JSON.stringify(HOST)});
    const sidecar = new SidecarHost(${JSON.stringify({ project: folder, command: DAEMON })});
    sidecar.invoke("workflow:execute", ${JSON.stringify(scripted("hang"))});
    process.stdout.write(sidecar.pid + "\\n");`;
  const app = spawn(process.execPath, ["-e", program], { stdio: ["ignore", "pipe", "inherit"] });
  const [pid] = String((await once(app.stdout, "data"))[0]).split("\n").map(Number);
  const file = path.join(folder, "pid");
  await eventually(() => fs.existsSync(file));
  const script = Number(fs.readFileSync(file, "utf8"));
  app.kill("SIGKILL");
  await eventually(() => !isAlive(pid) && !isAlive(script));
});

/** Another process's doing, which nothing tells of: looked at now and then. */
async function eventually(holds) {
  for (const end = Date.now() + PATIENCE_MS; !holds(); await new Promise((later) => setTimeout(later, 20)))
    if (Date.now() > end) throw new Error("waited in vain");
}

// --- windows ---------------------------------------------------------------------------------

/** Electron's ipcMain, app and WebContents, as far as they are used. */
class FakeApp extends EventEmitter {
  handlers = new Map();
  quits = 0;
  handle(channel, handler) {
    assert.equal(this.handlers.has(channel), false);
    this.handlers.set(channel, handler);
  }
  quit() {
    this.quits += 1;
    let prevented = false;
    this.emit("will-quit", { preventDefault: () => (prevented = true) });
    if (!prevented) this.emit("quit");
  }
  window(id) {
    const window = new FakeWindow(id);
    window.app = this;
    return window;
  }
}
class FakeWindow extends EventEmitter {
  received = [];
  states = [];
  destroyed = false;
  senderFrame = { parent: null, url: "app://page" };
  constructor(id) {
    super();
    this.id = id;
  }
  isDestroyed() {
    return this.destroyed;
  }
  send(channel, value) {
    assert.equal(this.destroyed, false);
    structuredClone(value);
    (channel === EVENT ? this.received : this.states).push(value);
    if (channel === EVENT) this.emit("event", value);
  }
  /** As ipcRenderer.invoke has it: of an error only the text arrives. */
  async invoke(channel, ...args) {
    try {
      return await this.app.handlers.get(channel)({ sender: this, senderFrame: this.senderFrame }, ...args);
    } catch (error) {
      throw new Error(`Error invoking remote method '${channel}': ${error}`);
    }
  }
  close() {
    this.destroyed = true;
    this.emit("destroyed");
  }
  types() {
    return this.received.map(({ event_type }) => event_type);
  }
}

/** A host in an app, with windows. */
function inApp(t, count, isTrusted) {
  const sidecar = host(t);
  const app = new FakeApp();
  sidecar.forward({ app, ipcMain: app }, isTrusted);
  return { sidecar, app, windows: Array.from({ length: count }, (_, n) => app.window(n + 1)) };
}

test("every channel has its handler, and an error arrives as JSON in the rejection's text", async (t) => {
  const { app, windows: [window] } = inApp(t, 1);
  const methods = (await window.invoke("rpc.discover")).methods.map(({ name }) => name);
  assert.deepEqual([...app.handlers.keys()].sort(), [...methods, "sidecar:restart", "sidecar:state"].sort());
  await assert.rejects(window.invoke("workflow:load", "no.yaml"), (error) => {
    const { code, message, data } = JSON.parse(error.message.split(": SidecarError: ")[1]);
    assert.deepEqual([code, data.type], [-32001, "WorkflowNotFound"]);
    return message.includes("no.yaml");
  });
});

test("of two windows one closes, and the other goes on", async (t) => {
  const { sidecar, windows: [one, two, three] } = inApp(t, 3);
  assert.equal((await one.invoke("workflow:execution:subscribe")).subscriber, "");
  await two.invoke("workflow:execution:subscribe", "*", "mine");
  await three.invoke("workflow:list");
  await one.invoke("workflow:execute", SAY);
  one.close();
  await two.invoke("workflow:execute", SAY);
  assert.deepEqual(one.types(), ALL_OF_SAY);
  assert.deepEqual(two.types(), [...ALL_OF_SAY, ...ALL_OF_SAY]);
  assert.deepEqual(three.types(), []);
  assert.deepEqual(sidecar.events, []);
  // The sidecar has forgotten it as well.
  const forgotten = sidecar.invoke("workflow:execution:unsubscribe", null, "window-1");
  assert.deepEqual(await forgotten, { unsubscribed: false });
  const kept = sidecar.invoke("workflow:execution:unsubscribe", null, "window-2/mine");
  assert.deepEqual(await kept, { unsubscribed: true });
});

test("a window hears of what it subscribed to, once, however often it did", async (t) => {
  const { windows: [one, two] } = inApp(t, 2);
  for (const name of ["", "again"]) await one.invoke("workflow:execution:subscribe", "say", name);
  await two.invoke("workflow:execution:subscribe", "other");
  await one.invoke("workflow:execute", SAY);
  assert.deepEqual(one.types(), ALL_OF_SAY);
  assert.deepEqual(two.types(), []);
  assert.deepEqual(await one.invoke("workflow:execution:unsubscribe", "say", "again"), { unsubscribed: true });
  await one.invoke("workflow:execute", SAY);
  assert.equal(one.received.length, 8);
  assert.deepEqual(await two.invoke("workflow:execution:unsubscribe", "say"), { unsubscribed: false });
});

for (const event of ["did-navigate", "render-process-gone"])
  test(`a page that goes by ${event} takes its listeners with it, and the window can listen anew`, async (t) => {
    const { windows: [window] } = inApp(t, 1);
    await window.invoke("workflow:execution:subscribe");
    window.emit(event);
    await window.invoke("workflow:execute", SAY);
    assert.deepEqual(window.received, []);
    await window.invoke("workflow:execution:subscribe");
    await window.invoke("workflow:execute", SAY);
    assert.deepEqual(window.types(), ALL_OF_SAY);
  });

test("windows that come and go leave nothing behind", async (t) => {
  const { sidecar, app } = inApp(t, 0);
  const windows = Array.from({ length: 500 }, (_, n) => app.window(n));
  await Promise.all(windows.map((window) => window.invoke("workflow:execution:subscribe")));
  // Half of them are gone before they are answered.
  const late = windows.map((window, n) => n % 2 && window.invoke("workflow:execution:subscribe", "say"));
  windows.forEach((window) => window.close());
  await Promise.all(late);
  await sidecar.invoke("workflow:execution:subscribe");
  await sidecar.invoke("workflow:execute", SAY);
  assert.equal(sidecar.events.length, 4);
  for (const window of windows) assert.deepEqual(window.received, []);
});

test("after a restart windows are told, and subscribed as before", async (t) => {
  const { sidecar, windows: [one, two] } = inApp(t, 2);
  assert.equal((await one.invoke("sidecar:state")).state, "starting");
  await one.invoke("workflow:execution:subscribe");
  process.kill(sidecar.pid, "SIGKILL");
  await until(sidecar, () => sidecar.state.state === "restarting");
  await two.invoke("workflow:execute", SAY);
  assert.deepEqual(one.types(), ALL_OF_SAY);
  assert.deepEqual(one.states.map(({ state }) => state), ["ready", "restarting", "starting", "ready"]);
  assert.deepEqual(two.states, []);
});

test("a window can have a sidecar that was given up started again", async (t) => {
  const { sidecar, windows: [window] } = inApp(t, 1);
  await window.invoke("sidecar:shutdown");
  await until(sidecar, () => sidecar.state.state === "closed");
  await window.invoke("sidecar:restart");
  assert.deepEqual(await window.invoke("workflow:list"), []);
});

test("nonsense from a page is its own problem", async (t) => {
  const { sidecar, windows: [bad, good] } = inApp(t, 2);
  await good.invoke("workflow:execution:subscribe");
  const nonsense = [[42], ["*", {}], ["*", "", 42], ["*", "", ["workflow_started", "nothing"]], [null, null, null]];
  // While it starts and while it serves.
  process.kill(sidecar.pid, "SIGKILL");
  await until(sidecar, () => sidecar.state.state === "restarting");
  for (let round = 0; round < 2; round++) {
    const asked = nonsense.map((args) => bad.invoke("workflow:execution:subscribe", ...args).catch((error) => error));
    await good.invoke("workflow:execute", SAY);
    for (const error of (await Promise.all(asked)).slice(2, 4)) assert.match(error.message, /-32602/);
  }
  assert.deepEqual(good.types(), [...ALL_OF_SAY, ...ALL_OF_SAY]);
});

test("a frame inside the page and a page that is not trusted get nothing", async (t) => {
  const { windows: [window] } = inApp(t, 1, (event) => event.senderFrame.url.startsWith("app://"));
  window.senderFrame.url = "https://example.com/app://";
  await assert.rejects(window.invoke("workflow:list"), /this page may not use the sidecar/);
  await assert.rejects(window.invoke("sidecar:restart"), /this page may not use the sidecar/);
  const { windows: [framed] } = inApp(t, 1);
  framed.senderFrame = { parent: {}, url: "app://page" };
  await assert.rejects(framed.invoke("sidecar:state"), /this page may not use the sidecar/);
  framed.senderFrame = null;
  await assert.rejects(framed.invoke("workflow:list"), /this page may not use the sidecar/);
});

test("the app quits when the sidecar has ended", async (t) => {
  const { sidecar, app, windows: [window] } = inApp(t, 1);
  await window.invoke("workflow:list");
  const { pid } = sidecar;
  const quit = once(app, "quit");
  app.quit();
  assert.equal(isAlive(pid), true);
  await quit;
  assert.equal(isAlive(pid), false);
  assert.equal(app.quits, 2);
});
