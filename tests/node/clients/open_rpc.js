// @open-rpc/client-js over WebSocket. It is an ES module alone, so it is imported by its path.
"use strict";

const { join } = require("node:path");
const { pathToFileURL } = require("node:url");
const { hold, startWebSocket } = require("./session");

(async () => {
  const file = join(process.env.NODE_PATH, "@open-rpc", "client-js", "dist", "index.js");
  const { Client, RequestManager, WebSocketTransport } = await import(pathToFileURL(file));
  const { url, endOfStdin } = await startWebSocket();
  const client = new Client(new RequestManager([new WebSocketTransport(url)]));
  const events = [];
  client.onNotification(({ method, params }) => {
    if (method === "workflow:execution:event") events.push(params);
  });
  /** A batch: both answers come in one array. */
  const more = async () => {
    client.startBatch();
    const both = [
      client.request({ method: "workflow:execution:active", params: [] }),
      client.request({ method: "workflow:execution:history", params: ["nobody"] }),
    ];
    client.stopBatch();
    return { batch: await Promise.all(both) };
  };
  const call = (method, params) => client.request({ method, params });
  await hold({ call, events, more, end: () => (client.close(), endOfStdin()) });
})();
