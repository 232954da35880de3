// One run on the canvas: how it stands as a whole, each node as it stands, where it is just now,
// and its timeline. Without a run, the workflow as it is.

import { useMemo } from "../vendor/hooks.js";
import { progressOf } from "../state/estimates.js";
import { graphOfRun } from "../state/graph.js";
import { dateAndTime, duration, roughly, ticking, visible } from "../state/words.js";
import { useNow } from "./clock.js";
import { ErrorBoundary } from "./ErrorBoundary.js";
import { html } from "./html.js";
import { Icon, Status } from "./icons.js";
import { nodeDrawer } from "./Node.js";
import { Timeline } from "./Timeline.js";
import { WorkflowCanvas } from "./WorkflowCanvas.js";

/** @import { RetryPolicy, Workflow } from "../../protocol/generated/protocol.js" */
/** @import { StepDurations } from "../state/estimates.js" */
/** @import { Graph, GraphStep } from "../state/graph.js" */
/** @import { Run } from "../state/run.js" */

/** @type {Graph} */
const EMPTY = { steps: [], edges: [] };
/** @type {StepDurations} */
const NO_DURATIONS = new Map();

/**
 * @typedef {object} Props
 * @property {Workflow | null} workflow  null when there is no file, or a broken one
 * @property {Graph | null} graph  of the file
 * @property {Run | null} run
 * @property {StepDurations | undefined} durations
 * @property {string | null} selected
 * @property {boolean} isLive
 * @property {(id: string) => void} onSelect
 * @property {(() => void) | null} onAgain  null when it cannot be
 */

/** @param {Props} props */
export function ExecutionVisualizer(props) {
  const { workflow, graph, run, selected, isLive, onSelect } = props;
  const durations = props.durations ?? NO_DURATIONS;
  const drawn = useMemo(
    () => (run === null ? { graph: graph ?? EMPTY, differs: false } : graphOfRun(graph, run)),
    // The steps of a run are known once it has begun; what happens to them changes no graph.
    [graph, run?.id, run?.steps.size],
  );
  const policies = useMemo(() => policiesOf(workflow), [workflow]);
  const labels = useMemo(() => new Map(drawn.graph.steps.map((step) => [step.id, step.label])), [drawn.graph]);
  const expectedMs = run === null || durations.size === 0 ? null : sum(run, durations);

  const statusOf = (/** @type {string} */ id) => run?.steps.get(id)?.status ?? "pending";
  const edgeState = (/** @type {string} */ from, /** @type {string} */ to) => {
    const [before, after] = [statusOf(from), statusOf(to)];
    if (before !== "success" || after === "pending" || after === "skipped") return "idle";
    return after === "running" || (after === "error" && run?.status === "running") ? "active" : "done";
  };
  const drawNode = useMemo(nodeDrawer, []);
  const renderNode = (/** @type {GraphStep} */ step) =>
    drawNode({
      shown: step,
      step: run?.steps.get(step.id) ?? null,
      run,
      policy: policies.get(step.id) ?? null,
      isSelected: step.id === selected,
      isLive,
      expectedMs: durations.get(step.id) ?? null,
    });
  return html`<div class="visualizer">
    ${run !== null && html`<${RunFacts} ...${props} run=${run} durations=${durations} />`}
    ${drawn.differs &&
    graph !== null &&
    html`<p class="note"><${Icon} name="warning" /> The workflow file has changed since this run; these are the run’s own steps.</p>`}
    <${ErrorBoundary} name="The canvas" about=${drawn.graph}>
      <${WorkflowCanvas}
        graph=${drawn.graph}
        metadata=${workflow?.ui_metadata ?? null}
        selected=${selected}
        follow=${run === null ? null : stepToFollow(run)}
        onSelect=${onSelect}
        renderNode=${renderNode}
        statusOf=${statusOf}
        edgeState=${edgeState}
        version=${[run, isLive, durations, policies].map(identity).join(" ")}
      />
    <//>
    ${run !== null &&
    html`<${ErrorBoundary} name="The timeline" about=${run.id}>
      <${Timeline}
        run=${run}
        labels=${labels}
        selected=${selected}
        isLive=${isLive}
        expectedMs=${expectedMs}
        onSelect=${onSelect}
      />
    <//>`}
  </div>`;
}

/** @type {WeakMap<object, number>} */
const identities = new WeakMap();
let lastIdentity = 0;

/**
 * A number that stands for a value that is replaced when it changes.
 * @param {unknown} value
 */
function identity(value) {
  if (value === null || typeof value !== "object") return String(value);
  const known = identities.get(value);
  if (known !== undefined) return known;
  lastIdentity += 1;
  identities.set(value, lastIdentity);
  return lastIdentity;
}

/**
 * @param {Workflow | null} workflow
 * @returns {ReadonlyMap<string, RetryPolicy>}
 */
export function policiesOf(workflow) {
  return new Map(
    (workflow?.steps ?? []).flatMap((step) =>
      step.type === "python" && step.retry_policy !== undefined ? [[step.id, step.retry_policy]] : [],
    ),
  );
}

/**
 * @param {Run} run
 * @param {StepDurations} durations
 */
function sum(run, durations) {
  let all = 0;
  for (const id of run.steps.keys()) all += durations.get(id) ?? 0;
  return all;
}

/**
 * Where the run is, or where it failed.
 * @param {Run} run
 */
function stepToFollow(run) {
  let last = null;
  for (const step of run.steps.values()) {
    if (step.status === "running") return step.id;
    if (step.status === "error") last = step.id;
  }
  return run.status === "running" ? last : run.failedStepId;
}

/**
 * The run as a whole, in one line, and what came of it.
 * @param {Props & {run: Run, durations: StepDurations}} props
 */
function RunFacts({ run, durations, isLive, onSelect, onAgain }) {
  const isRunning = run.status === "running";
  const now = useNow(isRunning && isLive, 200);
  const progress = progressOf(run, durations, now);
  const { failedStepId } = run;
  const message = run.status === "success" ? lastMessage(run) : null;
  return html`<section class=${`run run--${run.status}`} aria-label="The run">
    <div class="run__facts">
      <${Status} status=${run.status} />
      <span class="run__fact">
        ${isRunning ? ticking(now - run.timestamp) : run.durationMs !== null && duration(run.durationMs)}
      </span>
      <span class="run__fact">${progress.done} of ${progress.total} ${progress.total === 1 ? "step" : "steps"}</span>
      ${isRunning && html`<span class="run__fact run__estimate">${remaining(progress.remainingMs)}</span>`}
      ${!isRunning &&
      html`<time class="run__fact" datetime=${new Date(run.timestamp).toISOString()}>${dateAndTime(run.timestamp)}</time>`}
      <span class="run__actions">
        ${failedStepId !== null &&
        html`<button type="button" class="button" onClick=${() => onSelect(failedStepId)}>
          <${Icon} name="target" /> Jump to failure
        </button>`}
        ${!isRunning &&
        onAgain !== null &&
        html`<button type="button" class="button" onClick=${onAgain}><${Icon} name="again" /> Run again</button>`}
      </span>
    </div>
    <div
      class="progress"
      role="progressbar"
      aria-label="Progress"
      aria-valuemin="0"
      aria-valuemax="100"
      aria-valuenow=${Math.round(100 * progress.fraction)}
    >
      <span class="progress__bar" style=${{ transform: `scaleX(${progress.fraction.toFixed(3)})` }}></span>
    </div>
    ${run.error !== null && html`<p class="run__error" dir="auto">${visible(run.error)}</p>`}
    ${message !== null && html`<p class="run__message" dir="auto">${visible(message)}</p>`}
  </section>`;
}

/** @param {number | null} ms */
function remaining(ms) {
  if (ms === null) return "no earlier run to estimate by";
  return ms < 500 ? "any moment now" : `${roughly(ms)} left`;
}

/**
 * What the last output step said.
 * @param {Run} run
 */
function lastMessage(run) {
  let found = null;
  for (const [id, step] of run.steps) {
    const outputs = step.attempts.at(-1)?.outputs ?? run.outputs?.[id];
    if (outputs === null || typeof outputs !== "object" || Array.isArray(outputs)) continue;
    const keys = Object.keys(outputs);
    if (keys.length === 1 && keys[0] === "message" && typeof outputs["message"] === "string") {
      found = outputs["message"];
    }
  }
  return found === null || found.length <= 600 ? found : `${found.slice(0, 600)}…`;
}
