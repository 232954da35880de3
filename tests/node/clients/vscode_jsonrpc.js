// vscode-jsonrpc: Content-Length headers over stdio, and its cancellation token.
"use strict";

const rpc = require("vscode-jsonrpc/node");
const { hold, start } = require("./session");

const { child, ended } = start();
const connection = rpc.createMessageConnection(
  new rpc.StreamMessageReader(child.stdout),
  new rpc.StreamMessageWriter(child.stdin),
);
const events = [];
connection.onNotification("workflow:execution:event", (event) => events.push(event));
connection.listen();

function call(method, params) {
  return Array.isArray(params)
    ? connection.sendRequest(method, ...params)
    : connection.sendRequest(method, params);
}

/** Cancel a running workflow:execute by its token. */
async function more() {
  await call("workflow:execution:subscribe", { workflow_id: "hang", include: ["step_output"] });
  const source = new rpc.CancellationTokenSource();
  const running = connection.sendRequest("workflow:execute", { workflow: "hang.yaml" }, source.token);
  const failed = running.then(() => null, (error) => error.code);
  while (!events.some((event) => event.event_type === "step_output")) {
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
  source.cancel();
  const cancelled_code = await failed;
  const last = events.at(-1);
  return { cancelled_code, cancelled: [last.event_type, last.data.status] };
}

async function end() {
  await call("sidecar:shutdown", {});
  const status = await ended;
  connection.dispose();
  return status;
}

hold({ call, events, end, more });
