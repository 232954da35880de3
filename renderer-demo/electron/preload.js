"use strict";
/**
 * What the page sees of the sidecar: `window.sidecar`, and nothing of Node or Electron.
 *
 * It runs sandboxed and can load no file of its own. Neither IPC nor the context bridge lets an
 * error keep its fields, so an answer is an object with `result` or `error`, as JSON-RPC has it.
 */

const { contextBridge, ipcRenderer } = require("electron");

/** @typedef {import("../../protocol/generated/protocol").ExecutionEvent} ExecutionEvent */
/** @typedef {import("./sidecar-host.js").SidecarState} SidecarState */
/** @typedef {{ code: number, message: string, data: { type: string } }} WireError */

/**
 * How the page sees the sidecar. `attempt` counts failed tries, `retryAt` is the epoch
 * milliseconds of the next one, `reason` is for people.
 * @typedef {object} ConnectionState
 * @property {"connecting" | "connected" | "reconnecting" | "refused" | "closed"} status
 * @property {number} attempt
 * @property {number | null} retryAt
 * @property {string | null} reason
 */

const EVENT = "workflow:execution:event";
const STATE = "sidecar:state";
const RESTART = "sidecar:restart";

/** The channels that a page may use, with their arguments in order. */
const CHANNELS = {
  "workflow:execution:subscribe": ["workflow_id", "subscriber", "include"],
  "workflow:execution:unsubscribe": ["workflow_id", "subscriber"],
  "workflow:execution:history": ["workflow_id", "limit"],
  "workflow:execute": ["workflow", "inputs", "options"],
  "workflow:execution:start": ["workflow", "inputs", "options"],
  "workflow:execution:cancel": ["execution_id"],
  "workflow:execution:get": ["execution_id"],
  "workflow:execution:active": [],
  "workflow:execution:clear": ["workflow_id"],
  "workflow:list": [],
  "workflow:load": ["path"],
  "workflow:validate": ["workflow"],
  "sidecar:info": [],
  "sidecar:shutdown": [],
  "rpc.discover": [],
};

/** @type {Record<SidecarState["state"], ConnectionState["status"]>} */
const STATUSES = {
  starting: "connecting",
  ready: "connected",
  restarting: "reconnecting",
  failed: "refused",
  closed: "closed",
};

contextBridge.exposeInMainWorld("sidecar", {
  /**
   * The answer to one method, its params by name. Rejects when there is none: the sidecar went
   * away.
   * @param {string} method
   * @param {Record<string, unknown>} [params]
   * @returns {Promise<{ result: unknown } | { error: WireError }>}
   */
  async request(method, params = {}) {
    /** @type {Record<string, readonly string[]>} */
    const channels = CHANNELS;
    const names = Object.hasOwn(channels, method) ? channels[method] : undefined;
    if (names === undefined)
      return refused(-32601, "MethodNotFound", `there is no channel ${method}`);
    const unknown = Object.keys(params).find((name) => !names.includes(name));
    if (unknown !== undefined)
      return refused(-32602, "InvalidParams", `${method} has no param ${unknown}`);
    const args = names.map((name) => params[name]);
    while (args.length > 0 && args[args.length - 1] === undefined) args.pop();
    try {
      return { result: await ipcRenderer.invoke(method, ...args) };
    } catch (error) {
      const found = wireError(error);
      if (found === null) throw error;
      return { error: found };
    }
  },

  /**
   * Hear of the events that this page subscribed to. Returns what ends it.
   * @param {(event: ExecutionEvent) => void} listener
   * @returns {() => void}
   */
  onEvent: (listener) => heard(EVENT, listener),

  /**
   * Hear how the sidecar is, first of all as it is now. Returns what ends it.
   * @param {(state: ConnectionState) => void} listener
   * @returns {() => void}
   */
  onStateChange(listener) {
    let changed = false;
    /** @param {SidecarState} state */
    const told = (state) => {
      changed = true;
      listener(connectionOf(state));
    };
    const end = heard(STATE, told);
    // A change that comes while the question is on its way is the newer one.
    void ipcRenderer.invoke(STATE).then((state) => changed || told(state));
    return end;
  },

  /** Start the sidecar now instead of later, or again. */
  retry: () => void ipcRenderer.invoke(RESTART),
});

/**
 * @param {number} code
 * @param {string} type
 * @param {string} message
 * @returns {{ error: WireError }}
 */
function refused(code, type, message) {
  return { error: { code, message, data: { type } } };
}

/**
 * @param {string} channel
 * @param {(value: any) => void} listener
 * @returns {() => void}
 */
function heard(channel, listener) {
  /** @type {(event: unknown, value: unknown) => void} */
  const pass = (_, value) => listener(value);
  ipcRenderer.on(channel, pass);
  return () => void ipcRenderer.removeListener(channel, pass);
}

/**
 * @param {SidecarState} state
 * @returns {ConnectionState}
 */
function connectionOf({ state, failures, error, retryAtMs }) {
  const again = state === "starting" && failures > 0;
  const status = again ? "reconnecting" : STATUSES[state];
  return { status, attempt: failures, retryAt: retryAtMs, reason: error };
}

/**
 * The error of the wire in a rejection's text: see `forward` in sidecar-host.js.
 * @param {unknown} error
 * @returns {WireError | null} Null when there was no answer.
 */
function wireError(error) {
  const [, json] = /: SidecarError: (\{.*\})$/s.exec(String(error)) ?? [];
  if (json === undefined) return null;
  const found = JSON.parse(json);
  return found.data.type === "SidecarGone" ? null : found;
}
