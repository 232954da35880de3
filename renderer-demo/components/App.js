// The page as a whole: which workflow, which run. It puts the parts together and carries what
// people do to the session.

import { Component } from "../vendor/preact.js";
import {
  currentDefinition,
  currentEntry,
  currentWorkflowId,
  shownRun,
  shownRunId,
} from "../state/app.js";
import { EMPTY_FORM, fieldsOfRun, readFields } from "../state/form.js";
import { graphOf } from "../state/graph.js";
import { hashOf, placeOf } from "../state/places.js";
import { firstPlace } from "../state/session.js";
import { visible } from "../state/words.js";
import { RequestError } from "../transport.js";
import { ConnectionBand, ConnectionWord } from "./Connection.js";
import { DetailsPanel } from "./DetailsPanel.js";
import { ErrorBoundary } from "./ErrorBoundary.js";
import { ExecutionVisualizer } from "./ExecutionVisualizer.js";
import { html } from "./html.js";
import { Icon } from "./icons.js";
import { fieldId } from "./RunForm.js";
import { Problems, WorkflowList } from "./WorkflowList.js";

/** @import { JsonObject, Workflow } from "../../protocol/generated/protocol.js" */
/** @import { AppState } from "../state/app.js" */
/** @import { Form } from "../state/form.js" */
/** @import { Graph } from "../state/graph.js" */
/** @import { Run } from "../state/run.js" */
/** @import { Session } from "../state/session.js" */
/** @import { Tab } from "./DetailsPanel.js" */


/**
 * @typedef {object} State
 * @property {AppState} app
 * @property {Tab} tab
 * @property {string | null} selected
 * @property {Form} form
 * @property {boolean} isStarting
 * @property {string | null} trouble  something unforeseen, in words
 */


/** @extends {Component<{session: Session}, State>} */
export class App extends Component {
  /** @type {WeakMap<Workflow, Graph>} */
  graphs = new WeakMap();
  announced = "";
  /** @type {(() => void)[]} */
  ends = [];

  /** @param {{session: Session}} props */
  constructor(props) {
    super(props);
    /** @type {State} */
    this.state = {
      app: props.session.state,
      tab: "inputs",
      selected: null,
      form: EMPTY_FORM,
      isStarting: false,
      trouble: null,
    };
  }

  componentDidMount() {
    const { session } = this.props;
    /** @type {[EventTarget, string, (event: any) => void][]} */
    const heard = [
      [window, "hashchange", () => session.goTo(placeOf(location.hash))],
      [window, "focus", () => session.refresh()],
      [window, "error", (event) => this.setState({ trouble: event.message })],
      [window, "unhandledrejection", (event) => this.onTrouble(event)],
      [document, "keydown", (event) => this.onKeyDown(event)],
    ];
    for (const [target, name, listener] of heard) {
      target.addEventListener(name, listener);
      this.ends.push(() => target.removeEventListener(name, listener));
    }
    this.ends.push(session.onChange(() => this.onChange()));
    session.goTo(placeOf(location.hash));
  }

  componentDidUpdate() {
    const { app } = this.state;
    const name = currentEntry(app)?.name ?? currentEntry(app)?.path;
    const run = shownRun(app);
    // Among many tabs, which one waits for what.
    const parts = [run?.status, name === undefined ? undefined : visible(name), "Workflow sidecar"];
    document.title = parts.filter((part) => part !== undefined).join(" · ");
  }

  componentWillUnmount() {
    for (const end of this.ends) end();
  }

  /** @param {PromiseRejectionEvent} event */
  onTrouble(event) {
    // A lost connection is told by its band.
    if (event.reason instanceof RequestError && event.reason.type === "ConnectionLost") event.preventDefault();
    else this.setState({ trouble: event.reason instanceof Error ? event.reason.message : String(event.reason) });
  }

  onChange() {
    const app = this.props.session.state;
    const { workflowId, path } = app.place;
    if (workflowId === null && path === null) {
      const place = firstPlace(app);
      if (place !== null) {
        history.replaceState(null, "", hashOf(place));
        this.props.session.goTo(place);
        return;
      }
    }
    this.setState((before) => ({ app, ...this.onNewPlace(before, app) }));
  }

  /**
   * What another workflow or run begins with.
   * @param {State} before
   * @param {AppState} app
   * @returns {Partial<State>}
   */
  onNewPlace(before, app) {
    const [was, is] = [currentEntry(before.app), currentEntry(app)];
    const { workflowId, path } = before.app.place;
    // As long as the list is not there, the place alone tells one workflow from another.
    const isOther =
      was === undefined
        ? workflowId !== app.place.workflowId || path !== app.place.path
        : was.path !== is?.path;
    if (isOther) {
      return { selected: null, tab: before.tab === "step" ? "inputs" : before.tab, form: EMPTY_FORM };
    }
    return {};
  }

  onKeyDown(/** @type {KeyboardEvent} */ event) {
    const isInForm = event.target instanceof Element && event.target.closest("form") !== null;
    if (event.key === "Enter" && (event.ctrlKey || event.metaKey) && !isInForm) void this.start();
  }

  // --- what people do ------------------------------------------------------------------------------

  select = (/** @type {string} */ id) => {
    this.setState({ selected: id, tab: "step" }, () => {
      const panel = document.getElementById("panel");
      // Where the panel stands below the canvas, a choice that shows nothing would puzzle.
      if (panel !== null && panel.getBoundingClientRect().top > innerHeight - 80) panel.scrollIntoView();
    });
  };

  changeField = (/** @type {string} */ id, /** @type {string | boolean} */ value) => {
    const { form } = this.state;
    const errors = new Map(form.errors);
    errors.delete(id);
    this.setState({ form: { ...form, fields: new Map(form.fields).set(id, value), errors, general: [] } });
  };

  resetForm = () => this.setState({ form: EMPTY_FORM });

  /**
   * @param {ReadonlyMap<string, string>} errors
   * @param {readonly string[]} general
   */
  refuse(errors, general) {
    this.setState(({ form }) => ({ tab: "inputs", form: { ...form, errors, general } }), () => {
      const [first] = errors.keys();
      if (first !== undefined) document.getElementById(fieldId(first))?.focus();
    });
  }

  start = async () => {
    const workflow = currentDefinition(this.state.app)?.workflow;
    const entry = currentEntry(this.state.app);
    if (!workflow || entry === undefined || this.state.isStarting) return;
    const { values, errors } = readFields(workflow.inputs, this.state.form.fields);
    if (errors.size > 0) this.refuse(errors, []);
    else await this.startWith(entry.path, values, new Set(workflow.inputs.map((input) => input.id)));
  };

  /**
   * @param {string} path
   * @param {JsonObject} values
   * @param {ReadonlySet<string>} known  ids of the inputs that have a field
   */
  async startWith(path, values, known) {
    this.setState({ isStarting: true });
    try {
      const id = await this.props.session.start(path, values);
      this.setState(({ form }) => ({ form: { ...form, errors: new Map(), general: [] } }));
      this.goToRun(id);
    } catch (error) {
      if (!(error instanceof RequestError)) throw error;
      const inField = error.type === "InvalidInputs" ? error.problems : [];
      const errors = new Map(inField.filter(({ field }) => known.has(field)).map(({ field, message }) => [field, message]));
      const rest = error.problems.filter(({ field }) => !errors.has(field));
      const general = rest.map(({ field, message }) => (field === "" ? message : `${field}: ${message}`));
      this.refuse(errors, errors.size + general.length === 0 ? [error.message] : general);
    } finally {
      this.setState({ isStarting: false });
    }
  }

  /** @param {string} runId */
  goToRun(runId) {
    const { place } = this.state.app;
    location.hash = hashOf({ ...place, runId });
  }

  /** With the same inputs; what is not known any more must be typed. */
  again = async () => {
    const run = shownRun(this.state.app);
    const workflow = currentDefinition(this.state.app)?.workflow;
    if (run === null || !workflow) return;
    const own = this.state.app.ownInputs.get(run.id);
    const { fields, unknown } = fieldsOfRun(workflow.inputs, run, own);
    this.setState({ form: { ...EMPTY_FORM, fields } }, () => {
      const errors = new Map(unknown.map((id) => [id, "It was hidden or cut in the record: please give it again."]));
      if (unknown.length > 0) this.refuse(errors, []);
      else void this.start();
    });
  };

  cancel = async () => {
    const run = shownRun(this.state.app);
    if (run !== null) await this.props.session.cancel(run.id);
  };

  // --- drawing -------------------------------------------------------------------------------------

  /**
   * @param {Workflow | null} workflow
   * @returns {Graph | null}
   */
  graph(workflow) {
    if (workflow === null) return null;
    const known = this.graphs.get(workflow) ?? graphOf(workflow);
    this.graphs.set(workflow, known);
    return known;
  }

  render() {
    const { app } = this.state;
    const project = app.info?.project ?? "";
    return html`<div class="page">
      <a class="skip" href="#main" onClick=${skipToMain}>Skip to the workflow</a>
      <header class="top">
        <p class="top__name"><${Mark} /> Workflow sidecar</p>
        <p class="top__project" title=${project} dir="auto">${visible(project.split(/[\\/]/).at(-1) ?? "")}</p>
        <${ConnectionWord} connection=${app.connection} />
      </header>
      <${ConnectionBand} connection=${app.connection} onRetry=${() => this.props.session.transport.retry()} />
      ${this.state.trouble !== null &&
      html`<div class="band band--trouble" role="alert">
        <${Icon} name="warning" />
        <p><strong>Something went wrong:</strong> <span dir="auto">${visible(this.state.trouble)}</span></p>
        <button type="button" class="button" onClick=${() => this.setState({ trouble: null })}>Dismiss</button>
      </div>`}
      <div class="columns">
        <${ErrorBoundary} name="The workflow list">
          <${WorkflowList} state=${app} onRefresh=${() => this.props.session.refresh()} />
        <//>
        <main id="main" class="main" tabindex="-1">${this.renderMain()}</main>
        <aside id="panel" class="panel" aria-label="Details">
          <${DetailsPanel}
            app=${app}
            session=${this.props.session}
            tab=${this.state.tab}
            selected=${this.state.selected}
            form=${this.state.form}
            onTab=${(/** @type {Tab} */ tab) => this.setState({ tab })}
            onField=${this.changeField}
            onReset=${this.resetForm}
            onSubmit=${this.start}
          />
        </aside>
      </div>
      <p class="visually-hidden" role="status">${announcement(shownRun(app))}</p>
    </div>`;
  }

  renderMain() {
    const { app, selected, isStarting } = this.state;
    const entry = currentEntry(app);
    const definition = currentDefinition(app);
    const run = shownRun(app);
    const runId = shownRunId(app);
    const workflow = definition?.workflow ?? null;
    if (entry === undefined && run === null) {
      if (app.workflows === null || app.workflows.length === 0) return null;
      return html`<p class="note"><${Icon} name="warning" /> There is no such workflow here. Choose one from the list.</p>`;
    }
    const isLive = app.connection.status === "connected";
    const isRunning = run?.status === "running";
    const isLost = runId !== null && run === null && app.unknownRuns.has(runId);
    return html`
      <header class="heading">
        <div class="heading__text">
          <h1 dir="auto">${visible(workflow?.workflow.name ?? entry?.name ?? run?.workflowName ?? entry?.path ?? "")}</h1>
          ${workflow?.workflow.description !== undefined && html`<p dir="auto">${visible(workflow.workflow.description)}</p>`}
        </div>
        <div class="heading__actions">
          ${isRunning &&
          html`<button type="button" class="button button--stop" disabled=${!isLive} onClick=${this.cancel}>
            <${Icon} name="stop" /> Cancel
          </button>`}
          <button
            type="button"
            class="button button--primary"
            disabled=${workflow === null || !isLive || isStarting}
            onClick=${this.start}
          >
            <${Icon} name="play" /> Run
          </button>
        </div>
      </header>
      ${definition?.problems != null && html`<${Problems} path=${entry?.path ?? ""} problems=${definition.problems} />`}
      ${isLost &&
      html`<p class="note">
        <${Icon} name="warning" /> This run is not known here any more: only the five newest of each workflow are kept.
      </p>`}
      <${ErrorBoundary} name="The run" about=${runId}>
        ${(workflow !== null || run !== null) &&
        html`<${ExecutionVisualizer}
          workflow=${workflow}
          graph=${this.graph(workflow)}
          run=${run}
          durations=${app.durations.get(currentWorkflowId(app) ?? "")}
          selected=${selected}
          isLive=${isLive}
          onSelect=${this.select}
          onAgain=${workflow === null || !isLive ? null : this.again}
        />`}
      <//>
    `;
  }
}

/** The address keeps naming the run; only the focus moves. @param {Event} event */
function skipToMain(event) {
  event.preventDefault();
  document.getElementById("main")?.focus();
}

/**
 * What is worth being said aloud: how the run stands, and which step failed.
 * @param {Run | null} run
 */
function announcement(run) {
  if (run === null) return "";
  const failed = run.failedStepId ?? [...run.steps.values()].find((step) => step.status === "error")?.id;
  const step = failed === undefined ? undefined : run.steps.get(failed);
  const detail = step === undefined ? "" : `, step ${step.label ?? step.id}: error`;
  return `Run: ${run.status}${detail}`;
}

function Mark() {
  return html`<svg class="mark" viewBox="0 0 24 24" width="24" height="24" aria-hidden="true" focusable="false">
    <path d="M6 6h5a3 3 0 0 1 3 3v6a3 3 0 0 0 3 3h1" />
    <circle cx="5" cy="6" r="2.6" />
    <circle cx="19" cy="18" r="2.6" />
    <circle class="mark__live" cx="14" cy="12" r="2.6" />
  </svg>`;
}
