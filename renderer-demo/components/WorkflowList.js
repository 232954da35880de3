// The project's workflows, and what is wrong with those that cannot be run, line by line.

import { currentEntry, placeOfEntry } from "../state/app.js";
import { hashOf } from "../state/places.js";
import { counted, visible } from "../state/words.js";
import { html } from "./html.js";
import { Icon, Status } from "./icons.js";

/** @import { Problem, WorkflowListEntry } from "../../protocol/generated/protocol.js" */
/** @import { AppState } from "../state/app.js" */

/** @param {{state: AppState, onRefresh: () => void}} props */
export function WorkflowList({ state, onRefresh }) {
  const { workflows } = state;
  const current = currentEntry(state);
  return html`<nav class="workflows" aria-labelledby="workflows-title">
    <header class="workflows__header">
      <h2 id="workflows-title" class="section-title">Workflows</h2>
      <button type="button" class="tool" aria-label="Look for workflow files again" onClick=${onRefresh}>
        <${Icon} name="refresh" />
      </button>
    </header>
    ${workflows === null && html`<p class="hint">Looking for workflow files …</p>`}
    ${workflows?.length === 0 &&
    html`<p class="hint">
      No workflow file was found in this project. One is a <code>.yaml</code> file with <code>workflow</code> and
      <code>steps</code>.
    </p>`}
    <ul>
      ${workflows?.map(
        (entry) =>
          html`<li key=${entry.path}>
            <a
              class="workflows__entry"
              href=${hashOf(placeOfEntry(state, entry))}
              aria-current=${entry === current ? "page" : undefined}
            >
              <span class="workflows__name" dir="auto">${visible(entry.name ?? entry.path)}</span>
              <span class="workflows__facts">
                ${entry.errors !== undefined
                  ? html`<span class="status status--error"
                      ><${Icon} name="warning" />${counted(entry.errors.length, "error")}</span
                    >`
                  : html`<span>${counted(entry.step_count ?? 0, "step")}</span>`}
                <${Latest} state=${state} entry=${entry} />
              </span>
              ${entry.name !== undefined && html`<span class="workflows__path">${entry.path}</span>`}
            </a>
          </li>`,
      )}
    </ul>
  </nav>`;
}

/**
 * How the workflow's newest run stands, as far as this page has heard.
 * @param {{state: AppState, entry: WorkflowListEntry}} props
 */
function Latest({ state, entry }) {
  let newest = null;
  for (const run of state.runs.values()) {
    if (run.workflowId === entry.workflow_id && (newest === null || run.timestamp > newest.timestamp)) newest = run;
  }
  const kept = state.history.get(entry.workflow_id ?? "")?.[0];
  const status = newest?.status ?? kept?.status;
  return status === undefined ? null : html`<${Status} status=${status} />`;
}

/**
 * What is wrong with a workflow file, each at its line.
 * @param {{path: string, problems: readonly Problem[]}} props
 */
export function Problems({ path, problems }) {
  return html`<section class="problems" aria-labelledby="problems-title">
    <h2 id="problems-title">${counted(problems.length, "problem")} in ${path}</h2>
    <p class="hint">The workflow can be run when they are mended. Look again after saving the file.</p>
    <ol>
      ${problems.map(
        (problem, index) =>
          html`<li key=${index} class=${`problem problem--${problem.severity}`}>
            <span class="problem__place">
              ${problem.line === undefined ? "file" : `line ${problem.line}`}
              ${problem.column !== undefined && html`<span class="problem__column">column ${problem.column}</span>`}
            </span>
            <span class="problem__text">
              <span dir="auto">${visible(problem.message)}</span>
              ${problem.field !== "" && html`<code class="problem__field">${visible(problem.field)}</code>`}
              ${problem.suggestion !== undefined &&
              html`<span class="problem__suggestion">Write: <code>${visible(problem.suggestion)}</code></span>`}
            </span>
          </li>`,
      )}
    </ol>
  </section>`;
}
