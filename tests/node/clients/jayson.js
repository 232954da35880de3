// jayson: its WebSocket client; events come by the socket that it is given.
"use strict";

const jayson = require("jayson/promise");
const WebSocket = require("ws");
const { hold, startWebSocket } = require("./session");

(async () => {
  const { url, endOfStdin } = await startWebSocket();
  const socket = new WebSocket(url);
  const client = jayson.Client.websocket({ ws: socket });
  const events = [];
  socket.on("message", (data) => {
    const message = JSON.parse(data.toString());
    if (message.method === "workflow:execution:event") events.push(message.params);
  });
  await new Promise((resolve, reject) => socket.on("open", resolve).on("error", reject));
  const call = async (method, params) => {
    const response = await client.request(method, params);
    if (response.error) throw response.error;
    return response.result;
  };
  await hold({ call, events, end: () => (socket.terminate(), endOfStdin()) });
})();
