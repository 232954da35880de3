// How the page speaks to the sidecar: one small interface with two implementations, a WebSocket
// in a browser and a bridge in a host's window. It knows no workflow and no component.

/** @import { ErrorCode, ExecutionEvent, MethodName, Methods, Problem } from "../protocol/generated/protocol.js" */

/**
 * Where the connection stands. `attempt` counts failed tries since it last stood; `retryAt` is
 * the epoch milliseconds of the next one; `reason` is a sentence for people.
 *
 * connecting    the first try is under way
 * connected     requests are answered
 * reconnecting  lost; tried again at `retryAt`, or just now when that is null
 * refused       answered, but not let in: trying again would not help
 * closed        ended for good
 *
 * @typedef {object} ConnectionState
 * @property {"connecting" | "connected" | "reconnecting" | "refused" | "closed"} status
 * @property {number} attempt
 * @property {number | null} retryAt
 * @property {string | null} reason
 */

/**
 * @typedef {object} Transport
 * @property {<M extends MethodName>(method: M, params?: Methods[M]["params"]) => Promise<Methods[M]["result"]>} request
 *   The result of one method. Rejects with RequestError: what the sidecar answered, or
 *   `ConnectionLost` when the connection is not there or goes away before the answer.
 * @property {(listener: (event: ExecutionEvent) => void) => () => void} onEvent
 *   Hear of every event of what was subscribed to; returns what ends it.
 * @property {(listener: (state: ConnectionState) => void) => () => void} onStateChange
 *   Hear of the connection, its present state first, at once; returns what ends it. Whatever was
 *   subscribed to is gone with a connection: subscribe again after each `connected`.
 * @property {() => void} retry  Try again now instead of later.
 */

/** Why a request has no result. `code` is the wire's, or 0 when there was no answer. */
export class RequestError extends Error {
  /**
   * @param {string} message
   * @param {ErrorCode | 0} code
   * @param {string} type  `data.type` of the wire, or `ConnectionLost`
   * @param {Problem[]} problems  `data.errors` of the wire
   */
  constructor(message, code, type, problems = []) {
    super(message);
    this.name = "RequestError";
    this.code = code;
    this.type = type;
    this.problems = problems;
  }
}

/** @returns {RequestError} the error of a request that can have no answer */
export function connectionLost() {
  return new RequestError("The sidecar is not connected", 0, "ConnectionLost");
}

/**
 * The error member of a JSON-RPC answer as an exception.
 * @param {{code: number, message: string, data?: {type?: string, errors?: Problem[]}}} error
 * @returns {RequestError}
 */
export function requestError(error) {
  const code = /** @type {ErrorCode} */ (error.code);
  return new RequestError(error.message, code, error.data?.type ?? "", error.data?.errors ?? []);
}

/**
 * Listeners of one kind; one that throws disturbs no other.
 * @template T
 */
export class Listeners {
  constructor() {
    /** @type {Set<(value: T) => void>} */
    this.listeners = new Set();
  }

  /**
   * @param {(value: T) => void} listener
   * @returns {() => void} what removes it
   */
  add(listener) {
    this.listeners.add(listener);
    return () => this.listeners.delete(listener);
  }

  /** @param {T} value */
  tell(value) {
    for (const listener of this.listeners) {
      try {
        listener(value);
      } catch (error) {
        reportError(error);
      }
    }
  }
}
