// The transport of a host's window: `window.sidecar`, which a preload script exposes.
//
// Errors lose their fields on the way out of a preload script, so the bridge resolves to the
// answer's own members, `{result}` or `{error}`, and the exception is made here.

import { Listeners, connectionLost, requestError } from "./transport.js";

/** @import { ExecutionEvent } from "../protocol/generated/protocol.js" */
/** @import { ConnectionState, Transport } from "./transport.js" */

/**
 * What a preload script exposes as `window.sidecar`. `onStateChange` tells the present state at
 * once; the host names the window's `subscriber` by itself.
 *
 * @typedef {object} SidecarBridge
 * @property {(method: string, params?: object) => Promise<{result?: any, error?: any}>} request
 *   Resolves to the result or the error member of the JSON-RPC answer. A rejection counts as a
 *   lost connection.
 * @property {(listener: (event: ExecutionEvent) => void) => unknown} onEvent
 * @property {(listener: (state: ConnectionState) => void) => unknown} onStateChange
 * @property {() => void} [retry]
 */

/**
 * @param {SidecarBridge} bridge
 * @returns {Transport}
 */
export function bridgeTransport(bridge) {
  // The bridge is listened to once, whatever comes and goes in the page.
  /** @type {Listeners<ExecutionEvent>} */
  const events = new Listeners();
  /** @type {Listeners<ConnectionState>} */
  const states = new Listeners();
  /** @type {ConnectionState} */
  let state = { status: "connecting", attempt: 0, retryAt: null, reason: null };
  bridge.onEvent((event) => events.tell(event));
  bridge.onStateChange((next) => {
    state = next;
    states.tell(next);
  });
  return {
    async request(method, params = {}) {
      let answer;
      try {
        answer = await bridge.request(method, params);
      } catch {
        throw connectionLost();
      }
      if (answer.error !== undefined) throw requestError(answer.error);
      return answer.result;
    },
    onEvent: (listener) => events.add(listener),
    onStateChange(listener) {
      listener(state);
      return states.add(listener);
    },
    retry: () => bridge.retry?.(),
  };
}
