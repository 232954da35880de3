// One step on the canvas, as it stands: by colour, icon and word, with its timer and attempts.

import { elapsedMs } from "../state/estimates.js";
import { attemptsParts, duration, nextAttemptAt, ticking, visible } from "../state/words.js";
import { Ticking, useNow } from "./clock.js";
import { classes, html } from "./html.js";
import { Icon } from "./icons.js";

/** @import { VNode } from "../vendor/preact.js" */
/** @import { RetryPolicy } from "../../protocol/generated/protocol.js" */
/** @import { GraphStep } from "../state/graph.js" */
/** @import { Run, Step } from "../state/run.js" */

/** What fits beside each other in a node of any size. */
const LINE_CHARACTERS = 18;

/**
 * `step` and `run` are null when nothing runs and nothing ran; `isLive` is false while nothing is
 * heard from the sidecar.
 * @typedef {object} Props
 * @property {GraphStep} shown
 * @property {Step | null} step
 * @property {Run | null} run
 * @property {RetryPolicy | null} policy
 * @property {boolean} isSelected
 * @property {boolean} isLive
 * @property {number | null} expectedMs  how long earlier runs took for it
 */

/**
 * Draws nodes, each anew only when something of it has changed: hundreds stand on a canvas that
 * hears of a hundred changes a second.
 * @returns {(props: Props) => VNode}
 */
export function nodeDrawer() {
  /** @type {Map<string, {props: Props, drawn: VNode}>} */
  const known = new Map();
  return (props) => {
    const before = known.get(props.shown.id);
    if (before !== undefined && isSame(before.props, props)) return before.drawn;
    const drawn = html`<${Node} ...${props} />`;
    known.set(props.shown.id, { props, drawn });
    return drawn;
  };
}

/**
 * @param {Props} before
 * @param {Props} now
 */
function isSame(before, now) {
  return (
    now.step === before.step &&
    now.run?.status === before.run?.status &&
    now.shown === before.shown &&
    now.isSelected === before.isSelected &&
    now.isLive === before.isLive &&
    now.policy === before.policy &&
    now.expectedMs === before.expectedMs
  );
}

/** @param {Props} props */
function Node(props) {
  const { shown, step, run, policy, isSelected, isLive, expectedMs } = props;
  const status = step?.status ?? "pending";
  const label = visible(shown.label);
  const nextAt = step === null || run === null ? null : nextAttemptAt(run, step, policy);
  const isLong = step !== null && needsTwoLines(step, policy, nextAt);
  const isTimed = status === "running" && expectedMs !== null && expectedMs > 1500;
  return html`<div
      class=${classes("node", `node--${status}`, isSelected && "node--selected",
        isLong && "node--long", nextAt !== null && "node--waiting")}
      data-status=${status}
      title=${shown.description ?? undefined}
    >
      <span class="node__icon"><${Icon} name=${status} /></span>
      <span class="node__text">
        <span class="node__label" dir="auto">${label}</span>
        <span class="node__line">
          <span class="node__status">${status}</span>
          ${step !== null && html`<${Facts} ...${props} step=${step} />`}
        </span>
      </span>
      ${isTimed && html`<${Bar} step=${step} isLive=${isLive} expectedMs=${expectedMs} />`}
    </div>`;
}

/**
 * Whether the facts of a step are more than a line has room for, now or as time passes.
 * @param {Step} step
 * @param {RetryPolicy | null} policy
 * @param {number | null} nextAt
 */
function needsTwoLines(step, policy, nextAt) {
  const [attempt, next] = attemptsParts(step, policy, nextAt, 0);
  if (attempt === undefined) return false;
  if (next !== undefined || step.status === "running") return true;
  return `${step.status} ${duration(elapsedMs(step, 0))} ${attempt}`.length > LINE_CHARACTERS;
}

/**
 * @param {Props & {step: Step}} props
 */
function Facts({ step, run, policy, isLive }) {
  if (step.attempts.length === 0 || run === null) return null;
  const isRunning = step.status === "running";
  const nextAt = nextAttemptAt(run, step, policy);
  const [attempt, next] = attemptsParts(step, policy, nextAt, 0);
  const took = isRunning
    ? html`<${Ticking} isLive=${isLive} text=${(/** @type {number} */ now) => ticking(elapsedMs(step, now))} />`
    : duration(elapsedMs(step, 0));
  // Each by itself, so that a narrow node breaks the line between them.
  return html`${nextAt === null && html`<span class="node__fact">${took}</span>`}
  ${attempt !== undefined && html`<span class="node__fact">${attempt}${next !== undefined && ","}</span>`}
  ${next !== undefined &&
  html`${" "}<span class="node__fact"
      ><${Ticking} isLive=${isLive} text=${(/** @type {number} */ now) => attemptsParts(step, policy, nextAt, now)[1] ?? null}
    /></span>`}`;
}

/**
 * How much of the time that it usually takes has gone.
 * @param {{step: Step, isLive: boolean, expectedMs: number}} props
 */
function Bar({ step, isLive, expectedMs }) {
  const now = useNow(isLive, 200);
  const transform = `scaleX(${Math.min(elapsedMs(step, now) / expectedMs, 0.98).toFixed(3)})`;
  return html`<span class="node__bar" aria-hidden="true" style=${{ transform }}></span>`;
}
