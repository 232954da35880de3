// The transport of a browser: JSON-RPC 2.0 over a WebSocket, opened again with backoff.
//
// A browser does not tell why a WebSocket was not let in. So after a failed try the page's own
// address is asked for by HTTP: an answer means that the sidecar is there and the token is not
// the one it expects, which no further try would mend.

import { Listeners, connectionLost, requestError } from "./transport.js";

/** @import { ExecutionEvent } from "../protocol/generated/protocol.js" */
/** @import { ConnectionState, Transport } from "./transport.js" */

const FIRST_DELAY_MS = 250;
const MAX_DELAY_MS = 10_000;
const REFUSED = "The sidecar no longer accepts this address. Open the one that it printed when it started.";
const CLOSE_REASONS = new Map([
  [1001, "The sidecar has ended."],
  [1009, "A message was larger than the sidecar accepts."],
]);

/**
 * Milliseconds before try number `attempt`, counted from 1: doubled each time, up to a tenth
 * less or more by chance, so that many pages do not all come back in the same instant.
 * @param {number} attempt
 * @param {() => number} random  from 0 to 1
 */
export function retryDelayMs(attempt, random = Math.random) {
  const delay = Math.min(FIRST_DELAY_MS * 2 ** (attempt - 1), MAX_DELAY_MS);
  return Math.round(delay * (0.9 + 0.2 * random()));
}

/**
 * @param {string} url  ws://HOST:PORT/?token=TOKEN
 * @param {() => Promise<boolean>} isServed  whether the page's own address answers
 * @returns {Transport}
 */
export function webSocketTransport(url, isServed) {
  /** @type {Listeners<ExecutionEvent>} */
  const events = new Listeners();
  /** @type {Listeners<ConnectionState>} */
  const states = new Listeners();
  /** @type {Map<number, {resolve: (result: any) => void, reject: (error: Error) => void}>} */
  const waiting = new Map();
  /** @type {ConnectionState} */
  let state = { status: "connecting", attempt: 0, retryAt: null, reason: null };
  /** @type {WebSocket | null} */
  let socket = null;
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  let timer;
  let lastId = 0;

  /** @param {ConnectionState} next */
  function become(next) {
    state = next;
    states.tell(next);
  }

  function open() {
    clearTimeout(timer);
    const opened = new WebSocket(url);
    let wasOpen = false;
    socket = opened;
    opened.onopen = () => {
      wasOpen = true;
      become({ status: "connected", attempt: 0, retryAt: null, reason: null });
    };
    opened.onmessage = (message) => receive(JSON.parse(message.data));
    opened.onclose = (close) => void lost(wasOpen, close.code);
  }

  /** @param {any} message */
  function receive(message) {
    if (message.method === "workflow:execution:event") {
      events.tell(message.params);
      return;
    }
    const request = waiting.get(message.id);
    if (request === undefined) return;
    waiting.delete(message.id);
    if (message.error !== undefined) request.reject(requestError(message.error));
    else request.resolve(message.result);
  }

  /**
   * @param {boolean} wasOpen
   * @param {number} code  of the WebSocket's close
   */
  async function lost(wasOpen, code) {
    socket = null;
    for (const request of waiting.values()) request.reject(connectionLost());
    waiting.clear();
    if (!wasOpen && (await isServed())) {
      become({ status: "refused", attempt: state.attempt + 1, retryAt: null, reason: REFUSED });
      return;
    }
    const attempt = wasOpen ? 1 : state.attempt + 1;
    const delay = retryDelayMs(attempt);
    const reason = CLOSE_REASONS.get(code) ?? "The sidecar does not answer.";
    become({ status: "reconnecting", attempt, retryAt: Date.now() + delay, reason });
    timer = setTimeout(retry, delay);
  }

  function retry() {
    if (socket !== null) return;
    become({ ...state, status: "reconnecting", retryAt: null });
    open();
  }

  open();
  return {
    request(method, params = {}) {
      return new Promise((resolve, reject) => {
        if (socket === null || socket.readyState !== WebSocket.OPEN) {
          reject(connectionLost());
          return;
        }
        lastId += 1;
        waiting.set(lastId, { resolve, reject });
        socket.send(JSON.stringify({ jsonrpc: "2.0", id: lastId, method, params }));
      });
    },
    onEvent: (listener) => events.add(listener),
    onStateChange(listener) {
      listener(state);
      return states.add(listener);
    },
    retry,
  };
}
