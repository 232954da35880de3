// rpc-websockets: its client emits what is sent without an id as an event of that name.
"use strict";

const { Client } = require("rpc-websockets");
const { hold, startWebSocket } = require("./session");

(async () => {
  const { url, endOfStdin } = await startWebSocket();
  const client = new Client(url, { reconnect: false });
  const events = [];
  client.on("workflow:execution:event", (event) => events.push(event));
  await new Promise((resolve, reject) => client.on("open", resolve).on("error", reject));
  const end = async () => {
    const closed = new Promise((resolve) => client.on("close", resolve));
    client.close();
    await closed;
    return endOfStdin();
  };
  await hold({ call: (method, params) => client.call(method, params), events, end });
})();
