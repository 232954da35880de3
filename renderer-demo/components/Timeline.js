// The run as a timeline: a row for each step, a bar for each attempt, to scale.

import { useMemo, useState } from "../vendor/hooks.js";
import { Component } from "../vendor/preact.js";
import { elapsedMs } from "../state/estimates.js";
import { duration, ticking, visible } from "../state/words.js";
import { Ticking, useNow } from "./clock.js";
import { classes, html } from "./html.js";
import { Icon } from "./icons.js";

/** @import { Attempt, Run, Step } from "../state/run.js" */

const ROW_HEIGHT = 30;
/** More rows than these are drawn only where they can be seen. */
const MAX_DRAWN = 60;
const ROWS_DRAWN = 40;
const ROWS_ABOVE = 10;

/** From the first of these on, an axis has at most five parts of it. */
const PARTS_MS = [1, 2, 5, 10, 20, 50, 100, 200, 500].concat(
  [1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 21_600, 86_400].map((seconds) => seconds * 1000),
);

/**
 * Round parts for a time axis that holds so much, and the whole of it.
 * @param {number} ms
 */
function axisOf(ms) {
  const partMs = PARTS_MS.find((part) => ms <= 5 * part) ?? Math.ceil(ms / 5);
  const count = Math.max(1, Math.ceil(ms / partMs));
  return { partMs, count, spanMs: partMs * count };
}

/**
 * @param {{run: Run, labels: ReadonlyMap<string, string>, selected: string | null, isLive: boolean, expectedMs: number | null, onSelect: (id: string) => void}} props
 */
export function Timeline({ run, labels, selected, isLive, expectedMs, onSelect }) {
  const isRunning = run.status === "running";
  const [first, setFirst] = useState(0);
  const steps = useMemo(() => [...run.steps.values()], [run.steps]);
  // The axis is round, so that it changes now and then and not at each tick.
  const now = useNow(isRunning && isLive, 250);
  const elapsed = isRunning ? now - run.timestamp : (run.durationMs ?? 0);
  const last = Math.max(...steps.map((step) => endOf(step) - run.timestamp), 0);
  const { partMs, count, spanMs } = axisOf(Math.max(elapsed, last, isRunning ? (expectedMs ?? 0) : 0, 1));
  const isWindowed = steps.length > MAX_DRAWN;
  const shown = isWindowed ? steps.slice(first, first + ROWS_DRAWN) : steps;
  const onScroll = (/** @type {Event} */ event) => {
    if (!isWindowed) return;
    const top = /** @type {Element} */ (event.currentTarget).scrollTop;
    setFirst(Math.max(0, Math.floor(top / ROW_HEIGHT) - ROWS_ABOVE));
  };
  return html`<section class="timeline" aria-labelledby="timeline-title">
    <h2 id="timeline-title" class="section-title">Timeline</h2>
    <div class="timeline__scroll" onScroll=${onScroll} tabindex="0" role="region" aria-labelledby="timeline-title">
      <table style=${{ "--parts": String(count) }} aria-rowcount=${steps.length + 1}>
        <thead>
          <tr>
            <th scope="col" class="timeline__name">Step</th>
            <th scope="col" class="timeline__axis">
              <span class="visually-hidden">When</span>
              <span aria-hidden="true" class="timeline__ticks">
                ${Array.from({ length: count }, (_, part) => html`<span key=${part}>${axisLabel(partMs * part)}</span>`)}
              </span>
            </th>
            <th scope="col" class="timeline__took">Took</th>
          </tr>
        </thead>
        <tbody>
          ${isWindowed && html`<tr aria-hidden="true" style=${{ height: `${first * ROW_HEIGHT}px` }}></tr>`}
          ${shown.map(
            (step, index) =>
              html`<${Row}
                key=${step.id}
                index=${(isWindowed ? first : 0) + index}
                step=${step}
                runId=${run.id}
                startedAt=${run.timestamp}
                label=${labels.get(step.id) ?? step.label ?? step.id}
                isSelected=${step.id === selected}
                isLive=${isLive && isRunning}
                spanMs=${spanMs}
                onSelect=${onSelect}
              />`,
          )}
          ${isWindowed &&
          html`<tr
            aria-hidden="true"
            style=${{ height: `${Math.max(0, steps.length - first - shown.length) * ROW_HEIGHT}px` }}
          ></tr>`}
        </tbody>
      </table>
    </div>
  </section>`;
}

/**
 * @typedef {object} RowProps
 * @property {number} index  from 0
 * @property {Step} step
 * @property {string} runId
 * @property {number} startedAt  of the run, epoch milliseconds
 * @property {string} label
 * @property {boolean} isSelected
 * @property {boolean} isLive
 * @property {number} spanMs  of the whole axis
 * @property {(id: string) => void} onSelect
 */

/** @extends {Component<RowProps>} */
class Row extends Component {
  /** @param {RowProps} next */
  shouldComponentUpdate(next) {
    const { props } = this;
    return (
      next.step !== props.step ||
      next.runId !== props.runId ||
      next.label !== props.label ||
      next.isSelected !== props.isSelected ||
      next.spanMs !== props.spanMs ||
      (next.isLive !== props.isLive && next.step.status === "running")
    );
  }

  render() {
    const { index, step, startedAt, label, isSelected, isLive, spanMs, onSelect } = this.props;
    // The first row is the heading.
    return html`<tr class=${classes(isSelected && "is-selected")} aria-rowindex=${index + 2}>
      <th scope="row">
        <button type="button" class="timeline__step" onClick=${() => onSelect(step.id)}>
          <span class=${`status status--${step.status}`} title=${step.status}>
            <${Icon} name=${step.status} /><span class="visually-hidden">${step.status}</span>
          </span>
          <span class="timeline__label" dir="auto">${visible(label)}</span>
        </button>
      </th>
      <td aria-label=${spoken(step, startedAt)}>
        <${Bars} step=${step} startedAt=${startedAt} spanMs=${spanMs} isLive=${isLive} />
      </td>
      <td class="timeline__took">
        ${step.attempts.length > 0 &&
        html`<${Ticking}
          isLive=${isLive && step.status === "running"}
          everyMs=${250}
          text=${(/** @type {number} */ now) => took(step, now)}
        />`}
      </td>
    </tr>`;
  }
}

/**
 * @param {{step: Step, startedAt: number, spanMs: number, isLive: boolean}} props
 */
function Bars({ step, startedAt, spanMs, isLive }) {
  const now = useNow(isLive && step.status === "running", 250);
  const [head] = step.attempts;
  const tail = step.attempts.at(-1);
  const part = (/** @type {number} */ ms) => `${((100 * Math.max(0, ms)) / spanMs).toFixed(2)}%`;
  const isSplit = head !== undefined && tail !== undefined && head !== tail;
  const wait = isSplit && { left: part(head.timestamp - startedAt), width: part(tail.timestamp - head.timestamp) };
  return html`<span class="timeline__track" aria-hidden="true">
    ${wait && html`<span class="timeline__wait" style=${wait}></span>`}
    ${step.attempts.map((attempt) => {
      const start = attempt.timestamp - startedAt;
      const length = attempt.duration_ms ?? Math.max(0, now - attempt.timestamp);
      const style = { left: part(start), width: part(Math.min(length, spanMs - start)) };
      return html`<span key=${attempt.attempt} class=${`bar bar--${statusOf(step, attempt)}`} style=${style}></span>`;
    })}
  </span>`;
}

/**
 * @param {Step} step
 * @param {Attempt} attempt
 */
function statusOf(step, attempt) {
  if (attempt.error !== undefined) return "error";
  return attempt.duration_ms === undefined && step.status === "running" ? "running" : "success";
}

/** @param {Step} step */
function endOf(step) {
  const last = step.attempts.at(-1);
  return last === undefined ? 0 : last.timestamp + (last.duration_ms ?? 0);
}

/**
 * @param {Step} step
 * @param {number} now
 */
function took(step, now) {
  return step.status === "running" ? ticking(elapsedMs(step, now)) : duration(elapsedMs(step, 0));
}

/**
 * The bars in words.
 * @param {Step} step
 * @param {number} startedAt
 */
function spoken(step, startedAt) {
  const [first] = step.attempts;
  if (first === undefined) return "not started";
  const from = `after ${duration(first.timestamp - startedAt)}`;
  return step.attempts.length === 1 ? from : `${from}, ${step.attempts.length} attempts`;
}

/**
 * Round numbers without the zeros that a timer has.
 * @param {number} ms
 */
function axisLabel(ms) {
  return ms === 0 ? "0" : duration(ms).replace(".0 s", " s").replace(" min 00 s", " min").replace(" h 00 min", " h");
}
