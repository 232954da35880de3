// The run as a timeline: a row for each step, a bar for each attempt, to scale.

import { useMemo, useState } from "../vendor/hooks.js";
import { elapsedMs } from "../state/estimates.js";
import { duration, ticking, visible } from "../state/words.js";
import { useNow } from "./clock.js";
import { classes, html } from "./html.js";
import { Icon } from "./icons.js";

/** @import { Attempt, Run, Step } from "../state/run.js" */

const ROW_HEIGHT = 30;
/** More rows than these are drawn only where they can be seen. */
const MAX_DRAWN = 400;
const ROWS_IN_SIGHT = 40;

/**
 * @param {{run: Run, labels: ReadonlyMap<string, string>, selected: string | null, isLive: boolean, expectedMs: number | null, onSelect: (id: string) => void}} props
 */
export function Timeline({ run, labels, selected, isLive, expectedMs, onSelect }) {
  const isRunning = run.status === "running";
  const now = useNow(isRunning && isLive, 250);
  const [first, setFirst] = useState(0);
  const steps = useMemo(() => [...run.steps.values()], [run.steps]);
  const elapsed = isRunning ? now - run.timestamp : (run.durationMs ?? now - run.timestamp);
  const last = Math.max(...steps.map((step) => endOf(step) - run.timestamp), 0);
  const span = Math.max(elapsed, last, isRunning ? (expectedMs ?? 0) : 0, 1);
  const isWindowed = steps.length > MAX_DRAWN;
  const shown = isWindowed ? steps.slice(first, first + ROWS_IN_SIGHT) : steps;
  const onScroll = (/** @type {Event} */ event) => {
    if (!isWindowed) return;
    const top = /** @type {Element} */ (event.currentTarget).scrollTop;
    setFirst(Math.max(0, Math.floor(top / ROW_HEIGHT) - 10));
  };
  return html`<section class="timeline" aria-labelledby="timeline-title">
    <h2 id="timeline-title" class="section-title">Timeline</h2>
    <div class="timeline__scroll" onScroll=${onScroll} tabindex="0" role="region" aria-labelledby="timeline-title">
      <table>
        <thead>
          <tr>
            <th scope="col">Step</th>
            <th scope="col" class="timeline__axis">
              <span class="visually-hidden">When</span>
              <span aria-hidden="true" class="timeline__ticks">
                ${[0, 0.25, 0.5, 0.75, 1].map((part) => html`<span key=${part}>${axisLabel(span * part)}</span>`)}
              </span>
            </th>
            <th scope="col" class="timeline__took">Took</th>
          </tr>
        </thead>
        <tbody>
          ${isWindowed && html`<tr aria-hidden="true" style=${{ height: `${first * ROW_HEIGHT}px` }}></tr>`}
          ${shown.map(
            (step) =>
              html`<tr key=${step.id} class=${classes(step.id === selected && "is-selected")}>
                <th scope="row">
                  <button type="button" class="timeline__step" onClick=${() => onSelect(step.id)}>
                    <span class=${`status status--${step.status}`} title=${step.status}>
                      <${Icon} name=${step.status} /><span class="visually-hidden">${step.status}</span>
                    </span>
                    <span class="timeline__label" dir="auto"
                      >${visible(labels.get(step.id) ?? step.label ?? step.id)}</span
                    >
                  </button>
                </th>
                <td class="timeline__bars" aria-label=${spoken(step, run)}>
                  <${Bars} step=${step} run=${run} now=${now} span=${span} />
                </td>
                <td class="timeline__took">${took(step, now)}</td>
              </tr>`,
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
 * @param {{step: Step, run: Run, now: number, span: number}} props
 */
function Bars({ step, run, now, span }) {
  const [head] = step.attempts;
  const tail = step.attempts.at(-1);
  const isSplit = head !== undefined && tail !== undefined && head !== tail;
  const from = isSplit ? (head.timestamp - run.timestamp) / span : 0;
  const wait = isSplit ? (tail.timestamp - head.timestamp) / span : 0;
  return html`<span class="timeline__track" aria-hidden="true">
    ${isSplit && html`<span class="timeline__wait" style=${{ left: percent(from), width: percent(wait) }}></span>`}
    ${step.attempts.map((attempt) => {
      const start = (attempt.timestamp - run.timestamp) / span;
      const length = ((attempt.duration_ms ?? Math.max(0, now - attempt.timestamp)) || 1) / span;
      return html`<span
        key=${attempt.attempt}
        class=${`bar bar--${statusOf(step, attempt)}`}
        style=${{ left: percent(start), width: percent(Math.min(length, 1 - start)) }}
      ></span>`;
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

/** @param {number} part  of the whole width */
function percent(part) {
  return `${(100 * Math.max(0, part)).toFixed(2)}%`;
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
  if (step.attempts.length === 0) return "";
  return step.status === "running" ? ticking(elapsedMs(step, now)) : duration(elapsedMs(step, now));
}

/**
 * The bars in words.
 * @param {Step} step
 * @param {Run} run
 */
function spoken(step, run) {
  const [first] = step.attempts;
  if (first === undefined) return "not started";
  const from = `after ${duration(first.timestamp - run.timestamp)}`;
  return step.attempts.length === 1 ? from : `${from}, ${step.attempts.length} attempts`;
}

/** @param {number} ms */
function axisLabel(ms) {
  return ms === 0 ? "0" : duration(ms);
}
