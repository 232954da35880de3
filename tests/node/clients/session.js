// One session of a host with the sidecar, through whichever client: what it saw is printed as JSON.
"use strict";

const { spawn } = require("node:child_process");
const { createInterface } = require("node:readline");

/** Start the daemon as a host does. Arguments of the script: PYTHON PROJECT. */
function start(...flags) {
  const [python, project] = process.argv.slice(2);
  const command = ["-m", "sidecar", "serve", "--python", python, "--project", project, ...flags];
  const child = spawn(python, command, { stdio: ["pipe", "pipe", "inherit"] });
  const ended = new Promise((resolve) => child.on("exit", (code, signal) => resolve(code ?? signal)));
  return { child, ended };
}

/** Start it with a WebSocket, and wait for the line that tells the URL. */
async function startWebSocket() {
  const { child, ended } = start("--ws", "0");
  const [line] = await require("node:events").once(createInterface({ input: child.stdout }), "line");
  const { url } = JSON.parse(line);
  return { url, endOfStdin: () => (child.stdin.end(), ended) };
}

/**
 * `call(method, params)` resolves to a result and rejects with an error that has a `code`;
 * `events` is where the client puts the params of every event; `end()` resolves to the daemon's
 * exit status. `more` adds what only this client can do.
 */
async function hold({ call, events, end, more = async () => ({}) }) {
  const subscribed = await call("workflow:execution:subscribe", { workflow_id: "numbers" });
  const result = await call("workflow:execute", { workflow: "numbers.yaml", inputs: { n: 4 } });
  const told = events.map(({ seq, event_type, step_id }) => [seq, event_type, step_id ?? null]);
  const history = await call("workflow:execution:history", ["numbers", 1]);
  const unsubscribed = await call("workflow:execution:unsubscribe", { workflow_id: "numbers" });
  const again = await call("workflow:execute", { workflow: "numbers.yaml", inputs: { n: 5 } });
  const told_after = events.length - told.length;
  const code = await call("workflow:nothing", {}).then(() => null, (error) => error.code);
  const report = {
    subscribed,
    outputs: [result.outputs, again.outputs],
    same_run: history.length === 1 && history[0].id === result.execution_id,
    told,
    told_after,
    unsubscribed,
    code,
    ...(await more()),
    status: await end(),
  };
  // Some clients have timers that would keep the process.
  process.stdout.write(JSON.stringify(report), () => process.exit(0));
}

module.exports = { hold, start, startWebSocket };
