// The panel beside the canvas: the inputs of the next run, the chosen step, the runs before. One of
// them is seen, which its tab says.

import { currentDefinition, currentWorkflowId, shownRun, shownRunId } from "../state/app.js";
import { ErrorBoundary } from "./ErrorBoundary.js";
import { ExecutionHistoryPanel } from "./ExecutionHistoryPanel.js";
import { policiesOf } from "./ExecutionVisualizer.js";
import { html } from "./html.js";
import { RunForm } from "./RunForm.js";
import { StepPanel } from "./StepPanel.js";

/** @import { AppState } from "../state/app.js" */
/** @import { Form } from "../state/form.js" */
/** @import { Session } from "../state/session.js" */

/** @typedef {"inputs" | "step" | "history"} Tab */

/**
 * @typedef {object} Props
 * @property {AppState} app
 * @property {Session} session
 * @property {Tab} tab
 * @property {string | null} selected  the chosen step
 * @property {Form} form
 * @property {(tab: Tab) => void} onTab
 * @property {(id: string, value: string | boolean) => void} onField
 * @property {() => void} onReset
 * @property {() => void} onSubmit
 */

/** @type {{id: Tab, title: string}[]} */
const TABS = [
  { id: "inputs", title: "Inputs" },
  { id: "step", title: "Step" },
  { id: "history", title: "History" },
];

/** @param {Props} props */
export function DetailsPanel(props) {
  const { tab, onTab } = props;
  const onKey = (/** @type {KeyboardEvent} */ event) => {
    const index = TABS.findIndex(({ id }) => id === tab);
    const next = { ArrowLeft: index - 1, ArrowRight: index + 1, Home: 0, End: TABS.length - 1 }[event.key];
    const to = next === undefined ? undefined : TABS.at(next % TABS.length);
    if (to === undefined) return;
    event.preventDefault();
    onTab(to.id);
    // All tabs are always there, so the focus need not wait for the panel.
    document.getElementById(`tab-${to.id}`)?.focus();
  };
  return html`
    <div class="tabs" role="tablist" aria-label="Details" onKeyDown=${onKey}>
      ${TABS.map(
        ({ id, title }) =>
          html`<button
            key=${id}
            type="button"
            role="tab"
            id=${`tab-${id}`}
            aria-controls=${`panel-${id}`}
            aria-selected=${id === tab}
            tabindex=${id === tab ? 0 : -1}
            onClick=${() => onTab(id)}
          >
            ${title}
          </button>`,
      )}
    </div>
    <div role="tabpanel" id=${`panel-${tab}`} aria-labelledby=${`tab-${tab}`} class="panel__body" tabindex="0">
      ${tab === "inputs" ? inputs(props) : tab === "step" ? step(props) : history(props)}
    </div>
  `;
}

/** @param {Props} props */
function inputs({ app, form, onField, onReset, onSubmit }) {
  const workflow = currentDefinition(app)?.workflow ?? null;
  return html`<${ErrorBoundary} name="The form" about=${workflow}>
    ${workflow === null
      ? html`<p class="hint">There is no workflow that could take inputs.</p>`
      : html`<${RunForm}
          inputs=${workflow.inputs}
          fields=${form.fields}
          errors=${form.errors}
          general=${form.general}
          onChange=${onField}
          onReset=${onReset}
          onSubmit=${onSubmit}
        />`}
  <//>`;
}

/** @param {Props} props */
function step({ app, selected }) {
  if (selected === null) return html`<p class="hint">Choose a step on the canvas or in the timeline.</p>`;
  const workflow = currentDefinition(app)?.workflow ?? null;
  const run = shownRun(app);
  return html`<${ErrorBoundary} name="The step" about=${`${run?.id} ${selected}`}>
    <${StepPanel}
      id=${selected}
      declared=${workflow?.steps.find((item) => item.id === selected) ?? null}
      step=${run?.steps.get(selected) ?? null}
      run=${run}
      policy=${policiesOf(workflow).get(selected) ?? null}
      isLive=${app.connection.status === "connected"}
    />
  <//>`;
}

/** @param {Props} props */
function history({ app, session }) {
  const workflowId = currentWorkflowId(app);
  if (workflowId === null) return html`<p class="hint">A workflow that cannot be read has no history.</p>`;
  const running = [...app.runs.values()].filter((run) => run.workflowId === workflowId && run.status === "running");
  return html`<${ErrorBoundary} name="The history" about=${app.history.get(workflowId)}>
    <${ExecutionHistoryPanel}
      workflowId=${workflowId}
      place=${app.place}
      entries=${app.history.get(workflowId)}
      running=${running.reverse()}
      shownId=${shownRunId(app)}
      isLive=${app.connection.status === "connected"}
      getDetail=${(/** @type {string} */ id) => session.detail(id)}
      onClear=${() => session.clear(workflowId)}
    />
  <//>`;
}
