// All that the page shows, and how it changes: a pure function from state and action to state.
// It sends nothing; `session.js` does, after looking at what the state still lacks.

import { withDetail, withEvent, withSnapshot } from "./run.js";
import { NOWHERE } from "./places.js";

/** @import { ExecutionDetail, ExecutionEvent, ExecutionHistoryEntry, JsonObject, Problem, SidecarInfo, Snapshot, Workflow, WorkflowListEntry } from "../../protocol/generated/protocol.js" */
/** @import { ConnectionState } from "../transport.js" */
/** @import { StepDurations } from "./estimates.js" */
/** @import { Place } from "./places.js" */
/** @import { Run } from "./run.js" */

/**
 * A workflow file as read: what is in it, or what is wrong with it.
 * @typedef {{workflow: Workflow, problems: null} | {workflow: null, problems: readonly Problem[]}} Definition
 */

/**
 * @typedef {object} AppState
 * @property {ConnectionState} connection
 * @property {boolean} isCurrent  whether all has been asked anew since the connection last stood
 * @property {SidecarInfo | null} info
 * @property {readonly WorkflowListEntry[] | null} workflows
 * @property {ReadonlyMap<string, Definition>} definitions  by path
 * @property {ReadonlyMap<string, Run>} runs  by execution id
 * @property {ReadonlySet<string>} unknownRuns  asked for, and not known to the sidecar
 * @property {ReadonlyMap<string, readonly ExecutionHistoryEntry[]>} history  by workflow id
 * @property {ReadonlyMap<string, StepDurations>} durations  by workflow id
 * @property {Place} place
 * @property {string | null} followed  the run on the canvas while the place names none
 * @property {ReadonlyMap<string, JsonObject>} ownInputs  of the runs started here, as typed
 */

/**
 * @typedef {{type: "connection", connection: ConnectionState}
 *   | {type: "event", event: ExecutionEvent}
 *   | {type: "active", active: readonly Snapshot[], all: boolean}
 *   | {type: "detail", detail: ExecutionDetail, missing: number}
 *   | {type: "unknown run", id: string}
 *   | {type: "info", info: SidecarInfo}
 *   | {type: "workflows", workflows: readonly WorkflowListEntry[]}
 *   | {type: "definition", path: string, definition: Definition}
 *   | {type: "history", workflowId: string, entries: readonly ExecutionHistoryEntry[]}
 *   | {type: "durations", workflowId: string, durations: StepDurations}
 *   | {type: "place", place: Place}
 *   | {type: "started", id: string, workflowId: string, inputs: JsonObject}} Action
 */

/** Ended runs that are kept beside the one on the canvas. */
const MAX_ENDED_RUNS = 20;

/** @type {AppState} */
export const INITIAL = {
  connection: { status: "connecting", attempt: 0, retryAt: null, reason: null },
  isCurrent: false,
  info: null,
  workflows: null,
  definitions: new Map(),
  runs: new Map(),
  unknownRuns: new Set(),
  history: new Map(),
  durations: new Map(),
  place: NOWHERE,
  followed: null,
  ownInputs: new Map(),
};

/**
 * @param {AppState} state
 * @param {Action} action
 * @returns {AppState}
 */
export function reduce(state, action) {
  switch (action.type) {
    case "connection":
      return {
        ...state,
        connection: action.connection,
        isCurrent: state.isCurrent && action.connection.status === "connected",
      };
    case "event": {
      const { event } = action;
      const run = withEvent(state.runs.get(event.execution_id), event);
      return followed(withRun(state, run));
    }
    case "active":
      return followed(withActive(state, action.active, action.all));
    case "detail": {
      const run = withDetail(state.runs.get(action.detail.id), action.detail, action.missing);
      return withRun(state, run);
    }
    case "unknown run":
      return withUnknown(state, action.id);
    case "info":
      return { ...state, info: action.info };
    case "workflows":
      return { ...state, workflows: action.workflows };
    case "definition":
      return { ...state, definitions: new Map(state.definitions).set(action.path, action.definition) };
    case "history":
      return { ...state, history: new Map(state.history).set(action.workflowId, action.entries) };
    case "durations":
      return { ...state, durations: new Map(state.durations).set(action.workflowId, action.durations) };
    case "place":
      return withPlace(state, action.place);
    case "started": {
      const ownInputs = new Map([...state.ownInputs].slice(-MAX_ENDED_RUNS)).set(action.id, action.inputs);
      return { ...state, ownInputs };
    }
  }
}

/**
 * @param {AppState} state
 * @param {Run} run
 * @returns {AppState}
 */
function withRun(state, run) {
  if (state.runs.get(run.id) === run) return state;
  const runs = new Map(state.runs).set(run.id, run);
  if (run.status !== "running") {
    const ended = [...runs.values()].filter((other) => other.status !== "running");
    const spare = ended.filter((other) => other.id !== run.id && other.id !== shownRunId(state));
    for (const { id } of spare.slice(0, Math.max(0, ended.length - MAX_ENDED_RUNS))) runs.delete(id);
  }
  return { ...state, runs };
}

/**
 * What runs, at the instant of a subscription: `all` to every workflow, else to what the scripts
 * of one write. A run that is not among all has ended while nobody told us: how, its record tells.
 * @param {AppState} state
 * @param {readonly Snapshot[]} active
 * @param {boolean} all
 * @returns {AppState}
 */
function withActive(state, active, all) {
  const runs = new Map(state.runs);
  for (const snapshot of active) {
    const run = withSnapshot(runs.get(snapshot.execution_id), snapshot);
    // What its scripts have written so far has not come to us.
    runs.set(run.id, all ? run : { ...run, missing: run.missing + 1 });
  }
  if (!all) return { ...state, runs };
  const ids = new Set(active.map((snapshot) => snapshot.execution_id));
  for (const run of runs.values()) {
    if (run.status === "running" && !ids.has(run.id)) runs.set(run.id, { ...run, missing: run.missing + 1 });
  }
  return { ...state, runs, isCurrent: true, unknownRuns: new Set() };
}

/**
 * @param {AppState} state
 * @param {string} id
 * @returns {AppState}
 */
function withUnknown(state, id) {
  const unknownRuns = new Set(state.unknownRuns).add(id);
  const run = state.runs.get(id);
  if (run === undefined || run.status !== "running") {
    // An ended run whose record was cleared stays as this page saw it.
    const runs = run === undefined ? state.runs : new Map(state.runs).set(id, { ...run, missing: 0 });
    return { ...state, unknownRuns, runs };
  }
  const error = "Nobody knows how this run ended: the sidecar has no record of it.";
  const lost = { ...run, status: /** @type {const} */ ("failed"), error, missing: 0 };
  return { ...state, unknownRuns, runs: new Map(state.runs).set(id, lost) };
}

/**
 * @param {AppState} state
 * @param {Place} place
 * @returns {AppState}
 */
function withPlace(state, place) {
  const { workflowId, path, runId } = state.place;
  if (place.workflowId === workflowId && place.path === path && place.runId === runId) return state;
  return followed({ ...state, place, followed: null });
}

/**
 * The workflow's newest running run comes onto the canvas by itself, and stays when it has ended,
 * until the next one.
 * @param {AppState} state
 * @returns {AppState}
 */
function followed(state) {
  const workflowId = currentWorkflowId(state);
  if (workflowId === null || state.place.runId !== null) return state;
  let newest = state.followed === null ? undefined : state.runs.get(state.followed);
  for (const run of state.runs.values()) {
    if (run.workflowId !== workflowId || run.status !== "running") continue;
    if (newest === undefined || newest.status !== "running" || run.timestamp > newest.timestamp) newest = run;
  }
  return newest === undefined || newest.id === state.followed ? state : { ...state, followed: newest.id };
}

// --- what is shown -----------------------------------------------------------------------------

/**
 * The list's entry of the place; undefined while the list is not there or has none.
 * @param {AppState} state
 * @returns {WorkflowListEntry | undefined}
 */
export function currentEntry(state) {
  const { workflowId, path } = state.place;
  if (path !== null) return state.workflows?.find((entry) => entry.path === path);
  if (workflowId === null) return undefined;
  return state.workflows?.find((entry) => entry.workflow_id === workflowId);
}

/**
 * @param {AppState} state
 * @returns {string | null}
 */
export function currentWorkflowId(state) {
  return state.place.workflowId ?? currentEntry(state)?.workflow_id ?? null;
}

/**
 * @param {AppState} state
 * @returns {Definition | null}
 */
export function currentDefinition(state) {
  const entry = currentEntry(state);
  return entry === undefined ? null : (state.definitions.get(entry.path) ?? null);
}

/**
 * @param {AppState} state
 * @returns {string | null}
 */
export function shownRunId(state) {
  return state.place.runId ?? state.followed;
}

/**
 * @param {AppState} state
 * @returns {Run | null}
 */
export function shownRun(state) {
  const id = shownRunId(state);
  return id === null ? null : (state.runs.get(id) ?? null);
}

/**
 * Whether the address of a workflow must name its file, since another one has the same id.
 * @param {AppState} state
 * @param {WorkflowListEntry} entry
 * @returns {Place}
 */
export function placeOfEntry(state, entry) {
  const first = state.workflows?.find((other) => other.workflow_id === entry.workflow_id);
  return entry.workflow_id === undefined || first?.path !== entry.path
    ? { workflowId: null, path: entry.path, runId: null }
    : { workflowId: entry.workflow_id, path: null, runId: null };
}
