// json-rpc-2.0, which leaves the transport to its user: lines over stdio, or WebSocket by ws.
"use strict";

const { createInterface } = require("node:readline");
const { JSONRPCClient, JSONRPCServer, JSONRPCServerAndClient } = require("json-rpc-2.0");
const WebSocket = require("ws");
const { hold, start, startWebSocket } = require("./session");

function peer(send) {
  const events = [];
  const server = new JSONRPCServer();
  server.addMethod("workflow:execution:event", (event) => void events.push(event));
  const both = new JSONRPCServerAndClient(server, new JSONRPCClient(send));
  return { both, events, call: (method, params) => both.request(method, params) };
}

async function overLines() {
  const { child, ended } = start();
  const { both, events, call } = peer((message) => {
    child.stdin.write(`${JSON.stringify(message)}\n`);
  });
  createInterface({ input: child.stdout }).on("line", (line) => both.receiveAndSend(JSON.parse(line)));
  await hold({ call, events, end: () => (child.stdin.end(), ended) });
}

async function overWebSocket() {
  const { url, endOfStdin } = await startWebSocket();
  const socket = new WebSocket(url);
  const { both, events, call } = peer((message) => socket.send(JSON.stringify(message)));
  socket.on("message", (data) => both.receiveAndSend(JSON.parse(data.toString())));
  await new Promise((resolve, reject) => socket.on("open", resolve).on("error", reject));
  const end = async () => {
    const closed = new Promise((resolve) => socket.on("close", resolve));
    socket.close();
    await closed;
    return endOfStdin();
  };
  await hold({ call, events, end });
}

process.argv[4] === "websocket" ? overWebSocket() : overLines();
