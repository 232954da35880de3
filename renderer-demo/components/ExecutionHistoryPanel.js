// The five newest runs of a workflow, and those that run now: live, each a link to itself on the
// canvas, to be copied or taken along as JSON, to be forgotten.

import { useState } from "../vendor/hooks.js";
import { hashOf } from "../state/places.js";
import { ago, counted, dateAndTime, duration, ticking, visible } from "../state/words.js";
import { useNow } from "./clock.js";
import { CopyButton, download } from "./copying.js";
import { classes, html } from "./html.js";
import { Icon, Status } from "./icons.js";
import { Value } from "./Value.js";

/** @import { ExecutionDetail, ExecutionHistoryEntry, JsonObject } from "../../protocol/generated/protocol.js" */
/** @import { Place } from "../state/places.js" */
/** @import { Run } from "../state/run.js" */

/**
 * What a row shows of a run, running or kept.
 * @typedef {object} Row
 * @property {string} id
 * @property {"running" | "success" | "failed" | "cancelled"} status
 * @property {number} timestamp
 * @property {number | null} durationMs
 * @property {JsonObject} inputs
 * @property {JsonObject | null} outputs
 * @property {string | null} error
 * @property {string} facts
 */

/**
 * @typedef {object} Props
 * @property {string} workflowId
 * @property {Place} place  of the workflow
 * @property {readonly ExecutionHistoryEntry[] | undefined} entries  undefined while they are asked for
 * @property {readonly Run[]} running
 * @property {string | null} shownId
 * @property {boolean} isLive
 * @property {(executionId: string) => Promise<ExecutionDetail>} getDetail
 * @property {() => Promise<unknown>} onClear
 */

/** @param {Props} props */
export function ExecutionHistoryPanel({ workflowId, place, entries, running, shownId, isLive, getDetail, onClear }) {
  const runningIds = new Set(running.map((run) => run.id));
  const rows = [...running.map(rowOfRun), ...(entries ?? []).filter(({ id }) => !runningIds.has(id)).map(rowOfEntry)];
  return html`<section class="history" aria-labelledby="history-title">
    <header class="history__header">
      <h3 id="history-title">Past runs</h3>
      ${(entries?.length ?? 0) > 0 && html`<${Clear} count=${entries?.length ?? 0} onClear=${onClear} />`}
    </header>
    ${entries === undefined && html`<p class="hint">Asking for the past runs …</p>`}
    ${rows.length === 0 && entries !== undefined && html`<p class="hint">It has not run yet. The five newest runs will stand here.</p>`}
    <ol class="history__list">
      ${rows.map(
        (row) =>
          html`<${Entry}
            key=${row.id}
            row=${row}
            href=${hashOf({ ...place, workflowId: place.path === null ? workflowId : null, runId: row.id })}
            isShown=${row.id === shownId}
            isLive=${isLive}
            getDetail=${getDetail}
          />`,
      )}
    </ol>
  </section>`;
}

/**
 * @param {Run} run
 * @returns {Row}
 */
function rowOfRun({ id, status, timestamp, inputs, steps }) {
  const done = [...steps.values()].filter((step) => step.status === "success").length;
  const facts = `${done} of ${counted(steps.size, "step")}`;
  return { id, status, timestamp, durationMs: null, inputs, outputs: null, error: null, facts };
}

/**
 * @param {ExecutionHistoryEntry} entry
 * @returns {Row}
 */
function rowOfEntry({ id, status, timestamp, duration_ms, inputs, outputs, error, steps_executed, steps_failed }) {
  const failed = steps_failed === 0 ? "" : `, ${steps_failed} failed`;
  return {
    id,
    status,
    timestamp,
    durationMs: duration_ms,
    inputs,
    outputs: outputs ?? null,
    error: error ?? null,
    facts: `${counted(steps_executed, "step")}${failed}`,
  };
}

/**
 * @param {{row: Row, href: string, isShown: boolean, isLive: boolean, getDetail: Props["getDetail"]}} props
 */
function Entry({ row, href, isShown, isLive, getDetail }) {
  const isRunning = row.status === "running";
  const now = useNow(isLive, isRunning ? 500 : 10_000);
  const json = async () => JSON.stringify(await getDetail(row.id), null, 2);
  const save = async () => download(`run-${row.id}.json`, await json());
  return html`<li class=${classes("entry", isShown && "entry--shown")}>
    <a class="entry__link" href=${href} aria-current=${isShown ? "true" : undefined}>
      <${Status} status=${row.status} />
      <time datetime=${new Date(row.timestamp).toISOString()} title=${dateAndTime(row.timestamp)}>
        ${ago(row.timestamp, now)}
      </time>
      <span class="entry__took">
        ${row.durationMs === null ? ticking(now - row.timestamp) : duration(row.durationMs)}
      </span>
      <span class="hint">${row.facts}</span>
    </a>
    ${row.error !== null && html`<p class="entry__error" dir="auto">${visible(row.error).slice(0, 300)}</p>`}
    <details class="entry__more">
      <summary>Inputs and outputs</summary>
      <p class="hint">${dateAndTime(row.timestamp)} · <code>${row.id}</code></p>
      <${Value} name="Inputs" value=${row.inputs} />
      ${row.outputs !== null && html`<${Value} name="Outputs" value=${row.outputs} />`}
      ${!isRunning &&
      html`<p class="actions">
        <${CopyButton} text=${json} label="Copy as JSON" />
        <button type="button" class="button" onClick=${save}><${Icon} name="download" /> Download JSON</button>
      </p>`}
    </details>
  </li>`;
}

/**
 * Asks once more before it forgets.
 * @param {{count: number, onClear: () => Promise<unknown>}} props
 */
function Clear({ count, onClear }) {
  const [isAsking, setIsAsking] = useState(false);
  if (!isAsking) {
    return html`<button type="button" class="button button--quiet" onClick=${() => setIsAsking(true)}>
      <${Icon} name="trash" /> Clear
    </button>`;
  }
  const clear = async () => {
    setIsAsking(false);
    await onClear();
  };
  const focus = (/** @type {HTMLElement | null} */ element) => element?.focus();
  return html`<span class="actions" role="group" aria-label=${`Forget ${counted(count, "past run")}?`}>
    <button type="button" class="button button--danger" ref=${focus} onClick=${clear}>
      Forget ${count === 1 ? "it" : `all ${count}`}
    </button>
    <button type="button" class="button" onClick=${() => setIsAsking(false)}>Keep</button>
  </span>`;
}
