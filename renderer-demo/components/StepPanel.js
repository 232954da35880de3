// One step in full: each attempt with its inputs, outputs, error, stack trace and what it wrote.

import { attemptsText, dateAndTime, duration, nextAttemptAt, ticking, timeOfDay, visible } from "../state/words.js";
import { elapsedMs } from "../state/estimates.js";
import { Ticking } from "./clock.js";
import { html } from "./html.js";
import { Status } from "./icons.js";
import { LongText, Value } from "./Value.js";

/** @import { OutputStep, PythonStep, RetryPolicy } from "../../protocol/generated/protocol.js" */
/** @import { Attempt, Run, Step } from "../state/run.js" */

/**
 * @typedef {object} Props
 * @property {string} id
 * @property {PythonStep | OutputStep | null} declared  null when the file has no such step
 * @property {Step | null} step  null when there is no run
 * @property {Run | null} run
 * @property {RetryPolicy | null} policy
 * @property {boolean} isLive
 */

/** @param {Props} props */
export function StepPanel({ id, declared, step, run, policy, isLive }) {
  const status = step?.status ?? "pending";
  const label = step?.label ?? declared?.label ?? id;
  const nextAt = step === null || run === null ? null : nextAttemptAt(run, step, policy);
  const attempts = step === null ? [] : [...step.attempts].reverse();
  return html`<article class="step" aria-labelledby="step-title">
    <header class="step__header">
      <h3 id="step-title" class="step__title" dir="auto">${visible(label)}</h3>
      <p class="step__facts">
        <${Status} status=${status} />
        ${step !== null &&
        step.attempts.length > 0 &&
        html`<span
          ><${Ticking}
            isLive=${isLive && status === "running"}
            text=${(/** @type {number} */ now) =>
              status === "running" ? ticking(elapsedMs(step, now)) : duration(elapsedMs(step, 0))}
        /></span>`}
        ${step !== null &&
        attemptsText(step, policy, nextAt, 0) !== null &&
        html`<span
          ><${Ticking}
            isLive=${isLive && nextAt !== null}
            text=${(/** @type {number} */ now) => attemptsText(step, policy, nextAt, now)}
        /></span>`}
      </p>
      ${declared?.description !== undefined && html`<p dir="auto">${visible(declared.description)}</p>`}
      <p class="hint"><code>${id}</code> · ${declaredFacts(declared)}</p>
    </header>
    ${run === null && html`<p class="hint">It has not run here yet.</p>`}
    ${status === "skipped" && html`<p class="hint">The run ended before this step’s turn.</p>`}
    ${run !== null && status === "pending" && html`<p class="hint">Its turn has not come yet.</p>`}
    ${attempts.map(
      (attempt, index) =>
        html`<${AttemptView}
          key=${`${run?.id} ${attempt.attempt}`}
          attempt=${attempt}
          isOnly=${attempts.length === 1}
          isNewest=${index === 0}
        />`,
    )}
  </article>`;
}

/** @param {PythonStep | OutputStep | null} declared */
function declaredFacts(declared) {
  if (declared === null) return "not in the workflow file any more";
  if (declared.type === "output") return "message";
  return `${declared.script} · at most ${duration(declared.timeout)} an attempt`;
}

/**
 * @param {{attempt: Attempt, isOnly: boolean, isNewest: boolean}} props
 */
function AttemptView({ attempt, isOnly, isNewest }) {
  const isRunning = attempt.duration_ms === undefined;
  const outcome = isRunning ? "running" : attempt.error === undefined ? "success" : "error";
  const body = html`
    ${attempt.error !== undefined &&
    html`<div class="attempt__error">
      <p class="attempt__type">${visible(attempt.error_type ?? "Error")}</p>
      <${LongText} text=${attempt.error} name="Error" isError=${true} />
    </div>`}
    ${(attempt.stderr !== undefined || isRunning) &&
    html`<section class="value" aria-label="What it wrote to stderr">
      <header class="value__header"><h4>stderr</h4>${isRunning && html`<span class="hint">live</span>`}</header>
      ${attempt.stderr === undefined
        ? html`<p class="hint">nothing so far</p>`
        : html`<${LongText} text=${attempt.stderr.trimEnd()} name="stderr" isLive=${isRunning} />`}
    </section>`}
    ${attempt.stack_trace !== undefined &&
    html`<section class="value" aria-label="Stack trace">
      <header class="value__header"><h4>Stack trace</h4></header>
      <${LongText} text=${attempt.stack_trace.trimEnd()} name="Stack trace" />
    </section>`}
    <${Value} name="Outputs" value=${attempt.outputs} />
    <${Value} name="Inputs" value=${attempt.inputs} />
  `;
  const took = attempt.duration_ms === undefined ? "" : duration(attempt.duration_ms);
  if (isOnly) return html`<div class="attempt">${body}</div>`;
  return html`<details class="attempt" open=${isNewest}>
    <summary>
      <span class="attempt__number">Attempt ${attempt.attempt}</span>
      <${Status} status=${outcome} />
      <span class="hint">${took}</span>
      <time class="hint" datetime=${new Date(attempt.timestamp).toISOString()} title=${dateAndTime(attempt.timestamp)}
        >${timeOfDay(attempt.timestamp)}</time
      >
    </summary>
    ${body}
  </details>`;
}
