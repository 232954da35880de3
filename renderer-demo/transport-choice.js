// Which transport this page has: the host's bridge where there is one, else the WebSocket of
// whoever served the page.

import { bridgeTransport } from "./transport-bridge.js";
import { webSocketTransport } from "./transport-websocket.js";

/** @import { SidecarBridge } from "./transport-bridge.js" */
/** @import { Transport } from "./transport.js" */

/** @returns {Transport} */
export function chooseTransport() {
  const { sidecar } = /** @type {{sidecar?: SidecarBridge}} */ (/** @type {unknown} */ (window));
  if (sidecar !== undefined) return bridgeTransport(sidecar);
  const url = new URL("/", location.href);
  url.protocol = location.protocol === "https:" ? "wss:" : "ws:";
  url.search = location.search;
  url.hash = "";
  return webSocketTransport(url.href, isServed);
}

/** Whether the page's own address answers by HTTP. */
async function isServed() {
  try {
    return (await fetch(location.pathname, { method: "GET", cache: "no-store" })).ok;
  } catch {
    return false;
  }
}
