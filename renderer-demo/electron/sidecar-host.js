"use strict";
/**
 * Starts workflow-sidecar for a desktop app and speaks JSON-RPC 2.0 to it over stdin and stdout.
 *
 * The one file that a host copies; it needs nothing but Node 16 (Electron 22) or newer. Plain Node:
 *
 *     const sidecar = new SidecarHost({ project: "/path/to/project" });
 *     const result = await sidecar.invoke("workflow:execute", "report.yaml", { folder: "src" });
 *     await sidecar.close();
 *
 * In Electron `sidecar.forward({ app, ipcMain })` does the rest: every channel of the protocol by
 * its own name, events to the windows that subscribed, the sidecar's end with the app's.
 *
 * It knows processes and the wire, and nothing of what the methods do.
 */

const { spawn } = require("node:child_process");
const { statSync } = require("node:fs");
const path = require("node:path");

// In a copy, where `workflow-sidecar schema typescript > protocol.d.ts` was put.
/** @typedef {import("../../protocol/generated/protocol").Methods} Methods */
/** @typedef {import("../../protocol/generated/protocol").MethodName} MethodName */
/** @typedef {import("../../protocol/generated/protocol").ExecutionEvent} ExecutionEvent */
/** @typedef {import("../../protocol/generated/protocol").SidecarInfo} SidecarInfo */

/**
 * @typedef {object} SidecarOptions
 * @property {string} project Folder that workflows and scripts lie in.
 * @property {string | string[]} [command] What to start: a program, with arguments if it needs
 *   some (default: the environment's WORKFLOW_SIDECAR, else workflow-sidecar on the PATH).
 * @property {string[]} [flags] More flags of `serve`, such as ["--allow-env", "NAME"].
 * @property {NodeJS.ProcessEnv} [env] Environment of the sidecar (default: this process's).
 * @property {number} [maxRestarts] Restarts in a row before giving up (default 5).
 * @property {number} [initialDelayMs] Before the first restart; doubles each time (default 250).
 * @property {number} [maxDelayMs] Longest delay before a restart (default 8000).
 * @property {number} [stableMs] Once it served so long, restarts are counted anew (default 30000).
 * @property {number} [startMs] Time it has for its first answer (default 30000).
 * @property {number} [graceMs] Time it has to end before it is killed (default 6000; its own runs
 *   are stopped and recorded within 5000).
 */

/**
 * starting     not answering yet; requests wait
 * ready        answering. After a restart the runs of before are cut off: ask for snapshots anew
 * restarting   ended unasked, started again at `retryAtMs`; requests wait
 * failed       given up; `start()` tries again
 * closed       ended as asked, or never started
 * @typedef {object} SidecarState
 * @property {"starting" | "ready" | "restarting" | "failed" | "closed"} state
 * @property {number} failures Times in a row that it ended unasked.
 * @property {string | null} error Why it is not there, for people.
 * @property {number | null} retryAtMs When it is started again, as epoch milliseconds.
 */

/**
 * What is used of Electron's WebContents, ipcMain and app.
 * @typedef {object} WebContents
 * @property {number} id
 * @property {() => boolean} isDestroyed
 * @property {(channel: string, value: unknown) => void} send
 * @property {(name: any, listener: () => void) => unknown} on
 * @typedef {{ sender: WebContents, senderFrame: { parent: unknown, url: string } | null }} IpcEvent
 * @typedef {(event: any, ...args: any[]) => unknown} IpcHandler
 * @typedef {{ handle(channel: string, handler: IpcHandler): void }} IpcMain
 * @typedef {(event: { preventDefault(): void }) => void} QuitListener
 * @typedef {{ quit(): void, on(name: any, listener: QuitListener): unknown }} App
 */

/**
 * @typedef {object} Pending
 * @property {string} method
 * @property {(result: any) => void} resolve
 * @property {(error: Error) => void} reject
 *
 * @typedef {{ method: string, params: object, pending: Pending }} Waiting
 *
 * @typedef {object} ListenerParams
 * @property {string | null} [workflow_id]
 * @property {string} [subscriber]
 * @property {string[]} [include]
 *
 * @typedef {{ params: ListenerParams, window: WebContents | null }} Listener
 */

const DEFAULT_COMMAND = "workflow-sidecar";
const PROTOCOL_MAJOR = "1";
const SUBSCRIBE = "workflow:execution:subscribe";
const UNSUBSCRIBE = "workflow:execution:unsubscribe";
const EVENT = "workflow:execution:event";
const STATE = "sidecar:state";
const RESTART = "sidecar:restart";
/** Sent only to those who `include` them. */
const OPTIONAL_EVENTS = ["step_output", "step_skipped"];
/** JSON-RPC 2.0 §5.1: -32000 is free for errors of an implementation. */
const GONE_CODE = -32000;
/** The daemon skips a larger message, and could not say whose it was. */
const MAX_MESSAGE_BYTES = 64 * 1024 * 1024;
/** After the exit, for what still stands in the pipe. */
const LAST_BYTES_MS = 500;
/** Of the log, and of what stood where no such thing belongs, in an error's message. */
const TAIL_LINES = 20;
const SHOWN_CHARACTERS = 300;
const NEWLINE = 10;
const CLOSED = "the sidecar was closed";

/** @type {{ [M in MethodName]: readonly (keyof Methods[M]["params"] & string)[] }} */
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

/**
 * What a request is rejected with: an error of the wire (`code`, `data` as the protocol has them),
 * or -32000 with `data.type` "SidecarGone" when no answer will come.
 */
class SidecarError extends Error {
  /**
   * @param {string} message
   * @param {number} code
   * @param {{ type: string, [name: string]: unknown }} data
   */
  constructor(message, code, data) {
    super(message);
    this.name = "SidecarError";
    this.code = code;
    this.data = data;
  }

  /** As JSON: all that Electron's IPC passes on of an error is this text. */
  toString() {
    const { code, message, data } = this;
    return `SidecarError: ${JSON.stringify({ code, message, data })}`;
  }
}

class SidecarHost {
  /** @type {Required<Omit<SidecarOptions, "command">> & Pick<SidecarOptions, "command">} */
  #options;
  /** @type {import("node:child_process").ChildProcessWithoutNullStreams | null} */
  #child = null;
  /** @type {SidecarState} */
  #state = { state: "closed", failures: 0, error: null, retryAtMs: null };
  /** @type {Map<number, Pending>} Requests that were sent, by id. */
  #pending = new Map();
  /** @type {Waiting[]} Requests until it is ready. */
  #waiting = [];
  /** @type {Map<string, Listener>} What the sidecar has agreed to tell, now and when restarted. */
  #listeners = new Map();
  /** @type {Map<WebContents, Set<string>>} Windows, with the subscriber names of each. */
  #windows = new Map();
  #lastId = 0;
  #wasStarted = false;
  #failures = 0;
  /** Of the process that runs; 0 until it is ready. */
  #readyAtMs = 0;
  /** Why we ended the process ourselves, and whether another start would end the same way. */
  #endedFor = "";
  #isUseless = false;
  #shutDown = false;
  /** Called when the process is gone. */
  #onGone = () => {};
  /** @type {string[]} */
  #tail = [];
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  #timer = undefined;
  /** @type {Promise<void> | null} */
  #closing = null;
  /** @type {Set<(event: ExecutionEvent) => void>} */
  #onEvent = new Set();
  /** @type {Set<(state: SidecarState) => void>} */
  #onState = new Set();
  /** @type {Set<(line: string) => void>} */
  #onLog = new Set();

  /** @param {SidecarOptions} options */
  constructor(options) {
    this.#options = {
      flags: [],
      env: process.env,
      maxRestarts: 5,
      initialDelayMs: 250,
      maxDelayMs: 8_000,
      stableMs: 30_000,
      startMs: 30_000,
      graceMs: 6_000,
      ...options,
      project: path.resolve(options.project),
    };
  }

  /** How the sidecar is; `onState` tells of changes. */
  get state() {
    return this.#state;
  }

  /** Process id of the sidecar, while there is one. */
  get pid() {
    return this.#child?.pid;
  }

  /** Start the sidecar now, unless it runs; the first request does it too. */
  start() {
    if (this.#closing !== null || this.#child !== null) return;
    clearTimeout(this.#timer);
    if (this.#state.state !== "restarting") this.#failures = 0;
    this.#launch();
  }

  /**
   * The result of a method, its params by position. While the sidecar starts the request waits.
   * @template {MethodName} M
   * @param {M} channel
   * @param {Methods[M]["args"]} args
   * @returns {Promise<Methods[M]["result"]>} Rejects with SidecarError.
   */
  async invoke(channel, ...args) {
    return this.#send(channel, named(channel, args), null);
  }

  /**
   * Hear of the events that `invoke("workflow:execution:subscribe", …)` asked for, now and after
   * every restart. Returns what ends it.
   * @param {(event: ExecutionEvent) => void} listener
   * @returns {() => void}
   */
  onEvent(listener) {
    return added(this.#onEvent, listener);
  }

  /**
   * Hear how the sidecar is, from its next change on. Returns what ends it.
   * @param {(state: SidecarState) => void} listener
   * @returns {() => void}
   */
  onState(listener) {
    return added(this.#onState, listener);
  }

  /**
   * Hear the lines of the sidecar's log, a JSON object each. Returns what ends it.
   * @param {(line: string) => void} listener
   * @returns {() => void}
   */
  onLog(listener) {
    return added(this.#onLog, listener);
  }

  /**
   * End the sidecar: running scripts are stopped, their runs recorded as cancelled. Resolves when
   * the process is gone, killed if need be; never rejects.
   * @returns {Promise<void>}
   */
  close() {
    this.#closing ??= this.#end().finally(() => {
      this.#closing = null;
    });
    return this.#closing;
  }

  /**
   * Serve the windows of an Electron app: each channel by its own name with `ipcMain.handle`,
   * events and `sidecar:state` to those who asked, the sidecar's end when the app quits.
   *
   * A rejection reaches the window as `Error invoking remote method 'CHANNEL': SidecarError: JSON`,
   * the JSON with `code`, `message` and `data`: Electron passes on no more than a text.
   * @param {{ app: App, ipcMain: IpcMain }} electron
   * @param {(event: IpcEvent) => boolean} isTrusted Whether a page may use the sidecar
   *   (default: every page of the app's windows, but no frame inside one).
   */
  forward({ app, ipcMain }, isTrusted = (event) => event.senderFrame?.parent === null) {
    /** @type {(channel: string, work: (window: WebContents, args: any[]) => unknown) => void} */
    const handle = (channel, work) =>
      ipcMain.handle(channel, async (event, ...args) => {
        if (!isTrusted(event)) throw new Error("this page may not use the sidecar");
        return work(event.sender, args);
      });
    for (const channel of /** @type {MethodName[]} */ (Object.keys(CHANNELS)))
      handle(channel, (window, args) => this.#forwarded(window, channel, args));
    handle(STATE, (window) => {
      this.#watch(window);
      return this.#state;
    });
    handle(RESTART, () => this.start());
    let quitting = false;
    app.on("will-quit", (event) => {
      if (quitting) return;
      quitting = true;
      event.preventDefault();
      // Not within the event: a `quit` that comes then is not heard.
      void this.close().then(() => setImmediate(() => app.quit()));
    });
    this.start();
  }

  // --- requests ------------------------------------------------------------------------------

  /**
   * @param {MethodName} method
   * @param {object} params
   * @param {WebContents | null} window
   * @returns {Promise<any>}
   */
  async #send(method, params, window) {
    if (method === UNSUBSCRIBE) {
      // At once, and again after a subscription that is still on its way.
      this.#forget(params);
      return this.#request(method, params).finally(() => this.#forget(params));
    }
    const result = await this.#request(method, params);
    if (method === SUBSCRIBE) this.#listeners.set(keyOf(params), { params, window });
    return result;
  }

  /**
   * @param {string} method
   * @param {object} params
   * @returns {Promise<any>}
   */
  #request(method, params) {
    if (!this.#wasStarted) this.start();
    return new Promise((resolve, reject) => {
      const pending = { method, resolve, reject };
      const { state } = this.#state;
      if (this.#closing !== null || state === "failed" || state === "closed")
        reject(gone(method, this.#state.error ?? CLOSED));
      else if (state === "ready") this.#write(method, params, pending);
      else this.#waiting.push({ method, params, pending });
    });
  }

  /**
   * @param {string} method
   * @param {object} params
   * @param {Pending} pending
   */
  #write(method, params, pending) {
    const id = ++this.#lastId;
    let message;
    try {
      message = Buffer.from(JSON.stringify({ jsonrpc: "2.0", id, method, params }) + "\n");
    } catch (error) {
      pending.reject(new TypeError(`${method}: not JSON: ${text(error)}`));
      return;
    }
    if (message.length > MAX_MESSAGE_BYTES) {
      const limit = `${MAX_MESSAGE_BYTES / 1024 / 1024} MiB`;
      const data = { type: "InvalidRequest" };
      const reason = `${method}: the request is larger than ${limit}`;
      pending.reject(new SidecarError(reason, -32600, data));
      return;
    }
    if (method === "sidecar:shutdown") this.#shutDown = true;
    this.#pending.set(id, pending);
    this.#child?.stdin.write(message);
  }

  /** @param {ListenerParams} params */
  #forget({ workflow_id, subscriber = "" }) {
    for (const [key, { params }] of this.#listeners)
      if (
        (params.subscriber ?? "") === subscriber &&
        (workflow_id == null || (params.workflow_id ?? "*") === workflow_id)
      )
        this.#listeners.delete(key);
  }

  // --- what comes ----------------------------------------------------------------------------

  /** @param {any} message */
  #receive(message) {
    if (message.method === EVENT) {
      this.#dispatch(message.params);
      return;
    }
    const pending = this.#pending.get(message.id);
    this.#pending.delete(message.id);
    if (pending === undefined)
      tell(this.#onLog, `an answer to no request: ${JSON.stringify(message)}`);
    else if ("error" in message) {
      const { message: reason, code, data } = message.error;
      pending.reject(new SidecarError(reason, code, data));
    } else pending.resolve(message.result);
  }

  /** @param {ExecutionEvent} event */
  #dispatch(event) {
    const optional = OPTIONAL_EVENTS.includes(event.event_type);
    /** @type {Set<WebContents | null>} */
    const receivers = new Set();
    for (const { params, window } of this.#listeners.values()) {
      const { workflow_id, include } = params;
      const matches = (workflow_id ?? "*") === "*" || workflow_id === event.workflow_id;
      if (matches && (!optional || include?.includes(event.event_type))) receivers.add(window);
    }
    for (const window of receivers) {
      if (window === null) tell(this.#onEvent, event);
      else if (!window.isDestroyed()) window.send(EVENT, event);
    }
  }

  // --- windows -------------------------------------------------------------------------------

  /**
   * @param {WebContents} window
   * @param {MethodName} channel
   * @param {any[]} args
   */
  async #forwarded(window, channel, args) {
    /** @type {any} */
    const params = named(channel, args);
    if (channel !== SUBSCRIBE && channel !== UNSUBSCRIBE)
      return this.#send(channel, params, window);
    // One window, one subscriber; a page that names several keeps them apart.
    const given = params.subscriber ?? "";
    params.subscriber = `window-${window.id}${given === "" ? "" : `/${given}`}`;
    if (channel === SUBSCRIBE) this.#watch(window).add(params.subscriber);
    const result = await this.#send(channel, params, window);
    return channel === SUBSCRIBE ? { ...result, subscriber: given } : result;
  }

  /**
   * The subscriber names of a window, which are given up when its page goes.
   * @param {WebContents} window
   * @returns {Set<string>}
   */
  #watch(window) {
    const known = this.#windows.get(window);
    if (known) return known;
    /** @type {Set<string>} */
    const subscribers = new Set();
    const drop = () => {
      for (const subscriber of subscribers)
        // A sidecar that is gone has forgotten it already.
        this.#send(UNSUBSCRIBE, { subscriber }, window).catch(() => {});
      subscribers.clear();
    };
    this.#windows.set(window, subscribers);
    // A reload keeps the window and loses the page that listened.
    window.on("did-navigate", drop);
    window.on("render-process-gone", drop);
    window.on("destroyed", () => {
      drop();
      this.#windows.delete(window);
    });
    return subscribers;
  }

  // --- the process ---------------------------------------------------------------------------

  #launch() {
    const { project, flags, env } = this.#options;
    this.#wasStarted = true;
    this.#tail = [];
    this.#endedFor = "";
    this.#isUseless = false;
    this.#shutDown = false;
    this.#readyAtMs = 0;
    this.#set("starting", this.#state.error);
    let child;
    try {
      const [file, ...before] = commandOf(this.#options.command, env);
      const args = [...before, "serve", "--stdio", "--project", project, ...flags];
      // No shell, so that no character of a path means anything; no working directory of its own,
      // because Python would import from the project.
      child = spawn(file, args, { env, stdio: "pipe", windowsHide: true });
    } catch (error) {
      this.#giveUp(text(error));
      return;
    }
    this.#child = child;
    const drained = this.#readLines(child);
    lines(child.stderr, true, (line) => {
      this.#tail = [...this.#tail, line].slice(-TAIL_LINES);
      tell(this.#onLog, line);
    });
    // The exit tells more than a broken pipe.
    child.stdin.on("error", () => {});
    child.once("error", (error) => {
      // A later one is of `kill`; the exit tells what became of it.
      if (child.pid !== undefined) return;
      this.#isUseless = !isPassing(error);
      this.#ended(child, notStarted(child.spawnfile, error));
    });
    child.once("exit", () => {
      // What it has left behind may hold the pipes open.
      const late = setTimeout(() => {
        child.stdout.destroy();
        child.stderr.destroy();
      }, LAST_BYTES_MS);
      child.once("close", async (code, signal) => {
        clearTimeout(late);
        await drained();
        // Exit status 2 is about how it was called.
        this.#isUseless ||= code === 2 && this.#readyAtMs === 0;
        this.#ended(child, this.#endedFor || endOf(code, signal, this.#tail));
      });
    });
    const { startMs } = this.#options;
    this.#timer = setTimeout(() => {
      const guess = "is it workflow-sidecar?";
      this.#kill(child, `${child.spawnfile} did not answer within ${startMs} ms; ${guess}`);
    }, startMs);
    this.#greet(child).catch((error) => this.#kill(child, text(error)));
  }

  /**
   * Take what the sidecar says, line by line. Returns what waits until all has been taken.
   * @param {import("node:child_process").ChildProcessWithoutNullStreams} child
   * @returns {() => Promise<void>}
   */
  #readLines(child) {
    /** @type {string[]} */
    const waiting = [];
    let turning = false;
    const turn = () => {
      turning = false;
      while (waiting.length > 0 && !turning) {
        const line = /** @type {string} */ (waiting.shift());
        const message = parsed(line);
        if (message === null) {
          waiting.length = 0;
          const shown = line.slice(0, SHOWN_CHARACTERS);
          this.#kill(child, `${child.spawnfile} wrote something else than JSON-RPC: ${shown}`);
          return;
        }
        // Whoever waits for an answer acts on it before the events that come after it.
        turning = message.id !== undefined;
        if (turning) setImmediate(turn);
        this.#receive(message);
      }
    };
    lines(child.stdout, false, (line) => {
      waiting.push(line);
      if (!turning) turn();
    });
    // One that closes its stdout and lives on would leave every request waiting.
    child.stdout.once("end", () => {
      const late = setTimeout(() => child.kill("SIGKILL"), this.#options.graceMs);
      child.once("exit", () => clearTimeout(late));
    });
    return async () => {
      while (turning) await new Promise(setImmediate);
    };
  }

  /**
   * The first request, then the listeners again, then what has waited.
   * @param {import("node:child_process").ChildProcessWithoutNullStreams} child
   */
  async #greet(child) {
    const { protocol_version } = /** @type {SidecarInfo} */ (await this.#now("sidecar:info", {}));
    if (protocol_version.split(".")[0] !== PROTOCOL_MAJOR) {
      this.#isUseless = true;
      const mend = `this app speaks ${PROTOCOL_MAJOR}; install a matching workflow-sidecar`;
      throw new Error(`the sidecar speaks version ${protocol_version} of the protocol, ${mend}`);
    }
    const listeners = [...this.#listeners.values()];
    await Promise.all(listeners.map(({ params }) => this.#now(SUBSCRIBE, params)));
    if (this.#child !== child || this.#closing !== null) return;
    clearTimeout(this.#timer);
    this.#readyAtMs = Date.now();
    this.#set("ready");
    for (const { method, params, pending } of this.#waiting.splice(0))
      this.#write(method, params, pending);
  }

  /**
   * @param {string} method
   * @param {object} params
   * @returns {Promise<unknown>}
   */
  #now(method, params) {
    return new Promise((resolve, reject) => {
      this.#write(method, params, { method, resolve, reject });
    });
  }

  /**
   * @param {import("node:child_process").ChildProcessWithoutNullStreams} child
   * @param {string} reason
   */
  #kill(child, reason) {
    if (this.#child !== child) return;
    this.#endedFor ||= reason;
    child.kill("SIGKILL");
  }

  /**
   * @param {import("node:child_process").ChildProcessWithoutNullStreams} child
   * @param {string} reason
   */
  #ended(child, reason) {
    if (this.#child !== child) return;
    this.#child = null;
    clearTimeout(this.#timer);
    for (const { method, reject } of this.#pending.values()) reject(gone(method, reason));
    this.#pending.clear();
    this.#onGone();
    if (this.#closing !== null || this.#shutDown) {
      const asked = this.#closing === null ? "the sidecar was shut down" : CLOSED;
      this.#rejectWaiting(asked);
      this.#set("closed", asked);
      return;
    }
    const { maxRestarts, initialDelayMs, maxDelayMs, stableMs } = this.#options;
    if (this.#readyAtMs > 0 && Date.now() - this.#readyAtMs >= stableMs) this.#failures = 0;
    this.#failures += 1;
    if (this.#isUseless) this.#giveUp(reason);
    else if (this.#failures > maxRestarts)
      this.#giveUp(`${reason}; given up after ${maxRestarts} restarts`);
    else {
      const delayMs = Math.min(initialDelayMs * 2 ** (this.#failures - 1), maxDelayMs);
      this.#timer = setTimeout(() => this.#launch(), delayMs);
      this.#set("restarting", reason, Date.now() + delayMs);
    }
  }

  /** @param {string} reason */
  #giveUp(reason) {
    this.#set("failed", reason);
    this.#rejectWaiting(reason);
  }

  /** @param {string} reason */
  #rejectWaiting(reason) {
    for (const { method, pending } of this.#waiting.splice(0)) pending.reject(gone(method, reason));
  }

  async #end() {
    const child = this.#child;
    clearTimeout(this.#timer);
    this.#rejectWaiting(CLOSED);
    if (child === null) {
      this.#set("closed", CLOSED);
      return;
    }
    const gone = new Promise((resolve) => {
      this.#onGone = () => resolve(undefined);
    });
    const late = setTimeout(() => child.kill("SIGKILL"), this.#options.graceMs);
    child.stdin.end();
    await gone;
    clearTimeout(late);
  }

  /**
   * @param {SidecarState["state"]} state
   * @param {string | null} error
   * @param {number | null} retryAtMs
   */
  #set(state, error = null, retryAtMs = null) {
    this.#state = { state, failures: state === "ready" ? 0 : this.#failures, error, retryAtMs };
    tell(this.#onState, this.#state);
    for (const window of this.#windows.keys())
      if (!window.isDestroyed()) window.send(STATE, this.#state);
  }
}

/**
 * Params by name: one left out in the middle keeps its default.
 * @param {MethodName} channel
 * @param {unknown[]} args
 * @returns {object}
 */
function named(channel, args) {
  const names = Object.hasOwn(CHANNELS, channel) ? CHANNELS[channel] : undefined;
  if (names === undefined) throw new TypeError(`there is no channel ${channel}`);
  if (args.length > names.length)
    throw new TypeError(`${channel} takes ${names.length} arguments, got ${args.length}`);
  const pairs = names.map((name, at) => [name, args[at]]);
  return Object.fromEntries(pairs.filter(([, value]) => value !== undefined));
}

/**
 * What to start, as words. Throws when it cannot be started without a shell.
 * @param {string | string[] | undefined} command
 * @param {NodeJS.ProcessEnv} env
 * @returns {[string, ...string[]]}
 */
function commandOf(command, env) {
  const given = command ?? (env["WORKFLOW_SIDECAR"] || DEFAULT_COMMAND);
  const [file, ...args] = Array.isArray(given) ? given : isFile(given) ? [given] : words(given);
  if (file === undefined) throw new Error("the command that starts the sidecar is empty");
  if (process.platform === "win32" && /\.(cmd|bat)$/i.test(file))
    // They run in cmd.exe, for which no argument can be quoted safely (CVE-2024-27980).
    throw new Error(
      `${file} is a batch file and cannot be started; name the .exe, or python -m sidecar`,
    );
  return [file, ...args];
}

/** @param {string} file */
function isFile(file) {
  return statSync(file, { throwIfNoEntry: false })?.isFile() ?? false;
}

/**
 * `"C:\\Program Files\\python.exe" -m sidecar` in its words. A backslash is a backslash.
 * @param {string} line
 * @returns {string[]}
 */
function words(line) {
  const found = line.matchAll(/"([^"]*)"|'([^']*)'|(\S+)/g);
  return Array.from(found, (match) => match.slice(1).join(""));
}

/**
 * @param {ListenerParams} params
 * @returns {string}
 */
function keyOf({ workflow_id, subscriber }) {
  return JSON.stringify([subscriber ?? "", workflow_id ?? "*"]);
}

/**
 * Cut a stream into lines, in time that grows with its length alone.
 * @param {NodeJS.ReadableStream} stream
 * @param {boolean} takesUnended Whether what stands behind the last newline counts.
 * @param {(line: string) => void} take
 */
function lines(stream, takesUnended, take) {
  /** @type {Buffer[]} */
  let begun = [];
  const finish = () => {
    const line = Buffer.concat(begun).toString();
    begun = [];
    if (line.trim() !== "") take(line);
  };
  stream.on("data", (/** @type {Buffer} */ chunk) => {
    let start = 0;
    for (let end; (end = chunk.indexOf(NEWLINE, start)) >= 0; start = end + 1) {
      begun.push(chunk.subarray(start, end));
      finish();
    }
    begun.push(chunk.subarray(start));
  });
  if (takesUnended) stream.on("end", finish);
}

/**
 * @param {string} line
 * @returns {any} Null when it is no JSON object.
 */
function parsed(line) {
  try {
    const message = JSON.parse(line);
    return typeof message === "object" ? message : null;
  } catch {
    return null;
  }
}

/**
 * @template T
 * @param {Set<(value: T) => void>} listeners
 * @param {(value: T) => void} listener
 * @returns {() => void}
 */
function added(listeners, listener) {
  // A function of its own, so that each removes what it added.
  /** @param {T} value */
  const own = (value) => listener(value);
  listeners.add(own);
  return () => void listeners.delete(own);
}

/**
 * One that throws is an error of the app, and keeps nothing from the others.
 * @template T
 * @param {Set<(value: T) => void>} listeners
 * @param {T} value
 */
function tell(listeners, value) {
  for (const listener of [...listeners])
    try {
      listener(value);
    } catch (error) {
      process.nextTick(() => {
        throw error;
      });
    }
}

/**
 * @param {string} method
 * @param {string} reason
 */
function gone(method, reason) {
  return new SidecarError(`${method}: no answer: ${reason}`, GONE_CODE, { type: "SidecarGone" });
}

/**
 * @param {number | null} code
 * @param {NodeJS.Signals | null} signal
 * @param {string[]} tail
 */
function endOf(code, signal, tail) {
  const how = signal === null ? `ended with exit status ${code}` : `was ended by ${signal}`;
  const last = tail[tail.length - 1] ?? "";
  // A record of the log is about its work, not about its end, unless it says so.
  const tells = last !== "" && !["debug", "info"].includes(parsed(last)?.level);
  return `the sidecar ${how}${tells ? `; its last words: ${last.slice(0, SHOWN_CHARACTERS)}` : ""}`;
}

/**
 * @param {string} file
 * @param {Error & { code?: string }} error
 */
function notStarted(file, error) {
  const reason = error.code === "ENOENT" ? "it was not found" : error.message;
  const mend = "install it (pip install workflow-sidecar)";
  const orName = "name it with WORKFLOW_SIDECAR or `command`";
  return `the sidecar cannot be started: ${file}: ${reason}; ${mend}, or ${orName}`;
}

/** @param {Error & { code?: string }} error */
function isPassing(error) {
  return ["EAGAIN", "EMFILE", "ENFILE", "ENOMEM"].includes(error.code ?? "");
}

/** @param {unknown} error */
function text(error) {
  return error instanceof Error ? error.message : String(error);
}

module.exports = { SidecarHost, SidecarError };
