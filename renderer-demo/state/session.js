// What the page asks the sidecar for, and when. After each change of the state `#reconcile` looks
// at what it lacks and asks for just that. Events are taken together, once a frame.

import { RequestError } from "../transport.js";
import { INITIAL, currentEntry, currentWorkflowId, placeOfEntry, reduce, shownRunId } from "./app.js";
import { stepDurations } from "./estimates.js";
import { Questions } from "./questions.js";

/** @import { ExecutionDetail, ExecutionEvent, JsonObject, Problem } from "../../protocol/generated/protocol.js" */
/** @import { Transport } from "../transport.js" */
/** @import { Action, AppState } from "./app.js" */
/** @import { Place } from "./places.js" */

/** @typedef {"step_output" | "step_skipped"} OptionalEvent */

/** @type {OptionalEvent[]} */
const OPTIONAL_EVENTS = ["step_output", "step_skipped"];

export class Session {
  /** @type {AppState} */
  #state = INITIAL;
  /** @type {Set<() => void>} */
  #listeners = new Set();
  /** @type {ExecutionEvent[]} */
  #events = [];
  #isScheduled = false;
  /** @type {Questions<Action>} */
  #questions;
  /** The workflow whose optional events come. @type {string | null} */
  #watched = null;
  /** Details of ended runs, for estimates. @type {Map<string, ExecutionDetail>} */
  #details = new Map();

  /**
   * @param {Transport} transport
   * @param {(flush: () => void) => void} schedule  call back before the next frame
   */
  constructor(transport, schedule) {
    this.transport = transport;
    this.schedule = schedule;
    this.#questions = new Questions((action) => this.#take(action), () => this.#reconcile());
    transport.onEvent((event) => {
      this.#events.push(event);
      this.#wake();
    });
    transport.onStateChange((connection) => {
      this.#questions.connectionChanged(connection.status === "connected");
      this.#watched = null;
      this.#take({ type: "connection", connection });
    });
  }

  /** @returns {AppState} */
  get state() {
    return this.#state;
  }

  /**
   * @param {() => void} listener
   * @returns {() => void} what ends it
   */
  onChange(listener) {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  // --- what people do ----------------------------------------------------------------------------

  /** @param {Place} place */
  goTo(place) {
    this.#take({ type: "place", place });
  }

  /** The files may have changed: ask again for the list and for the workflow in sight. */
  refresh() {
    this.#questions.forget((about) => about === "workflows" || about.startsWith("definition "));
    this.#reconcile();
  }

  /**
   * @param {string} path  of the workflow file
   * @param {JsonObject} inputs
   * @returns {Promise<string>} the run's id
   */
  async start(path, inputs) {
    const started = await this.transport.request("workflow:execution:start", { workflow: path, inputs });
    this.#take({
      type: "started",
      id: started.execution_id,
      workflowId: started.workflow_id,
      inputs,
    });
    return started.execution_id;
  }

  /** @param {string} executionId */
  async cancel(executionId) {
    await this.transport.request("workflow:execution:cancel", { execution_id: executionId });
  }

  /**
   * @param {string} workflowId
   * @returns {Promise<number>} how many runs were forgotten
   */
  async clear(workflowId) {
    const { removed } = await this.transport.request("workflow:execution:clear", {
      workflow_id: workflowId,
    });
    this.#questions.forget((about) => about === `history ${workflowId}`);
    this.#reconcile();
    return removed;
  }

  /**
   * @param {string} executionId
   * @returns {Promise<ExecutionDetail>}
   */
  detail(executionId) {
    return this.transport.request("workflow:execution:get", { execution_id: executionId });
  }

  // --- what comes in -----------------------------------------------------------------------------

  #wake() {
    if (this.#isScheduled) return;
    this.#isScheduled = true;
    this.schedule(() => {
      this.#isScheduled = false;
      this.#flush();
    });
  }

  /** Take the events that have come, in their order. */
  #flush() {
    const events = this.#events;
    if (events.length === 0) return;
    this.#events = [];
    for (const event of events) {
      this.#state = reduce(this.#state, { type: "event", event });
      if (event.event_type === "workflow_completed" || event.event_type === "workflow_failed") {
        this.#questions.forget((about) => about === `history ${event.workflow_id}`);
      }
    }
    this.#changed();
  }

  /** @param {Action} action */
  #take(action) {
    // An answer tells of a later instant than the events that came before it.
    this.#flush();
    this.#state = reduce(this.#state, action);
    this.#changed();
  }

  #changed() {
    for (const listener of this.#listeners) listener();
    this.#reconcile();
  }

  // --- what is asked for ---------------------------------------------------------------------------

  #reconcile() {
    const state = this.#state;
    if (state.connection.status !== "connected") return;
    this.#questions.once("subscription", async () => {
      const { active } = await this.transport.request("workflow:execution:subscribe", { workflow_id: "*" });
      return { type: "active", active, all: true };
    });
    this.#questions.once("info", async () => ({
      type: "info",
      info: await this.transport.request("sidecar:info"),
    }));
    this.#questions.once("workflows", async () => ({
      type: "workflows",
      workflows: await this.transport.request("workflow:list"),
    }));
    if (!state.isCurrent) return;
    this.#watch();
    this.#askForDefinition();
    this.#askForRuns();
    const workflowId = currentWorkflowId(state);
    if (workflowId !== null) this.#askForHistory(workflowId);
  }

  /** Hear of all that the shown workflow's scripts write, and of no other's. */
  #watch() {
    const workflowId = currentWorkflowId(this.#state);
    if (workflowId === this.#watched) return;
    const before = this.#watched;
    this.#watched = workflowId;
    if (before !== null) {
      void this.#questions.ask(`unwatch ${before}`, async () => {
        await this.transport.request("workflow:execution:unsubscribe", { workflow_id: before });
        return null;
      });
    }
    if (workflowId === null) return;
    void this.#questions.ask(`watch ${workflowId}`, async () => {
      const { active } = await this.transport.request("workflow:execution:subscribe", {
        workflow_id: workflowId,
        include: OPTIONAL_EVENTS,
      });
      return { type: "active", active, all: false };
    });
  }

  #askForDefinition() {
    const entry = currentEntry(this.#state);
    if (entry === undefined) return;
    this.#questions.once(`definition ${entry.path}`, async () => {
      const { path } = entry;
      try {
        const workflow = await this.transport.request("workflow:load", { path });
        return { type: "definition", path, definition: { workflow, problems: null } };
      } catch (error) {
        const problems = problemsOf(error);
        return { type: "definition", path, definition: { workflow: null, problems } };
      }
    });
  }

  /** The shown run, when it is not known, and every run of which something is missing. */
  #askForRuns() {
    const { runs, unknownRuns } = this.#state;
    const shown = shownRunId(this.#state);
    const wanted = new Set(shown === null || runs.has(shown) ? [] : [shown]);
    for (const run of runs.values()) if (run.missing > 0 && this.#matters(run.id)) wanted.add(run.id);
    for (const id of wanted) {
      if (unknownRuns.has(id)) continue;
      const missing = runs.get(id)?.missing ?? 0;
      void this.#questions.ask(`run ${id}`, async () => {
        try {
          return { type: "detail", detail: await this.detail(id), missing };
        } catch (error) {
          if (error instanceof RequestError && error.type === "ExecutionNotFound") {
            return { type: "unknown run", id };
          }
          throw error;
        }
      });
    }
  }

  /**
   * Whether a run's details are looked at: those of other workflows only by their status.
   * @param {string} id
   */
  #matters(id) {
    const run = this.#state.runs.get(id);
    if (id === shownRunId(this.#state)) return true;
    return run !== undefined && run.status === "running" && run.workflowId === currentWorkflowId(this.#state);
  }

  /** @param {string} workflowId */
  #askForHistory(workflowId) {
    this.#questions.once(`history ${workflowId}`, async () => ({
      type: "history",
      workflowId,
      entries: await this.transport.request("workflow:execution:history", { workflow_id: workflowId }),
    }));
    const entries = this.#state.history.get(workflowId);
    const succeeded = entries?.filter((entry) => entry.status === "success") ?? [];
    if (succeeded.length === 0) return;
    this.#questions.once(`durations ${workflowId} ${succeeded[0]?.id}`, async () => {
      const details = await Promise.all(succeeded.map((entry) => this.#keptDetail(entry.id)));
      const known = details.filter((detail) => detail !== null);
      return { type: "durations", workflowId, durations: stepDurations(known) };
    });
  }

  /**
   * @param {string} id
   * @returns {Promise<ExecutionDetail | null>} null when it has been forgotten meanwhile
   */
  async #keptDetail(id) {
    const known = this.#details.get(id);
    if (known !== undefined) return known;
    try {
      const detail = await this.detail(id);
      this.#details.set(id, detail);
      if (this.#details.size > 50) this.#details.delete([...this.#details.keys()][0] ?? "");
      return detail;
    } catch (error) {
      if (error instanceof RequestError && error.type === "ExecutionNotFound") return null;
      throw error;
    }
  }
}

/**
 * What is wrong with a workflow file, from the error that loading it answered with.
 * @param {unknown} error
 * @returns {Problem[]}
 */
function problemsOf(error) {
  if (!(error instanceof RequestError) || error.type === "ConnectionLost") throw error;
  if (error.problems.length > 0) return error.problems;
  return [{ field: "", message: error.message, severity: "error" }];
}

/**
 * Where a page begins that was opened without a place: at the first workflow that can be run.
 * @param {AppState} state
 * @returns {Place | null}  null while the list is not there or is empty
 */
export function firstPlace(state) {
  const entry = state.workflows?.find((item) => item.errors === undefined) ?? state.workflows?.[0];
  return entry === undefined ? null : placeOfEntry(state, entry);
}
