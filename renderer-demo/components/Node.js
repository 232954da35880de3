// One step on the canvas, as it stands: by colour, icon and word, with its timer and attempts.

import { Component } from "../vendor/preact.js";
import { elapsedMs } from "../state/estimates.js";
import { attemptsText, duration, nextAttemptAt, ticking, visible } from "../state/words.js";
import { Ticking } from "./clock.js";
import { classes, html } from "./html.js";
import { Icon } from "./icons.js";

/** @import { VNode } from "../vendor/preact.js" */
/** @import { RetryPolicy } from "../../protocol/generated/protocol.js" */
/** @import { GraphStep } from "../state/graph.js" */
/** @import { Run, Step } from "../state/run.js" */

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
  const isWaiting = step !== null && run !== null && nextAttemptAt(run, step, policy) !== null;
  const isTimed = status === "running" && expectedMs !== null && expectedMs > 1500;
  return html`<div
      class=${classes("node", `node--${status}`, isSelected && "node--selected", isWaiting && "node--waiting")}
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
 * @param {Props & {step: Step}} props
 */
function Facts({ step, run, policy, isLive }) {
  if (step.attempts.length === 0 || run === null) return null;
  const isRunning = step.status === "running";
  const nextAt = nextAttemptAt(run, step, policy);
  const attempts = (/** @type {number} */ now) => attemptsText(step, policy, nextAt, now);
  const took = isRunning
    ? html`<${Ticking} isLive=${isLive} text=${(/** @type {number} */ now) => ticking(elapsedMs(step, now))} />`
    : duration(elapsedMs(step, 0));
  const hasAttempts = attempts(0) !== null;
  return html`${nextAt === null && html`<span class="node__fact">${took}</span>`}
  ${hasAttempts &&
  html`<span class="node__fact"><${Ticking} isLive=${isLive && nextAt !== null} text=${attempts} /></span>`}`;
}

/**
 * How much of the time that it usually takes has gone.
 * @param {{step: Step, isLive: boolean, expectedMs: number}} props
 */
function Bar({ step, isLive, expectedMs }) {
  const width = (/** @type {number} */ now) => Math.min(elapsedMs(step, now) / expectedMs, 0.98);
  return html`<${Growing} isLive=${isLive} fraction=${width} />`;
}

/** @extends {Component<{isLive: boolean, fraction: (now: number) => number}>} */
class Growing extends Component {
  /** @type {ReturnType<typeof setInterval> | undefined} */
  timer;

  componentDidMount() {
    this.timer = setInterval(() => this.props.isLive && this.forceUpdate(), 200);
  }

  componentWillUnmount() {
    clearInterval(this.timer);
  }

  render() {
    const transform = `scaleX(${this.props.fraction(Date.now()).toFixed(3)})`;
    return html`<span class="node__bar" aria-hidden="true" style=${{ transform }}></span>`;
  }
}
