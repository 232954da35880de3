/**
 * The wire of workflow-sidecar, protocol 1.0.0.
 * Written by `python -m protocol.generate`; do not edit.
 *
 * Times are integer milliseconds; a `timestamp` counts them since the Unix epoch (UTC).
 */

/** Any JSON value. */
export type JsonValue = null | boolean | number | string | JsonValue[] | JsonObject;

/** Any JSON object. */
export type JsonObject = { [key: string]: JsonValue };

/** Stands in events and history for a value of more than 262144 bytes as JSON. */
export type Truncated = { $truncated: true; bytes: number; preview: string };

/** One try of a step, redacted. */
export interface AttemptDetail {
  /** Counts from 1. (at least 1) */
  attempt: number;
  /** When the attempt started. */
  timestamp: number;
  /** Milliseconds it took; absent while it runs. (at least 0) */
  duration_ms?: number;
  /** What the script was given. */
  inputs: JsonObject;
  /** What it produced. */
  outputs?: JsonObject;
  /** What went wrong. */
  error?: string;
  /** Type of that error. */
  error_type?: string;
  /** The script's traceback, without directories outside the project. */
  stack_trace?: string;
  /** Head and tail of what the script wrote to stderr. */
  stderr?: string;
}

/** Which request. */
export interface CancelRequestParams {
  /** The id of a request in flight on the same connection. */
  id: string | number | null;
}

/** Whether there was something to cancel. */
export interface CancelResult {
  /** False when the execution had ended. */
  cancelled: boolean;
}

/** Whose past executions to forget. */
export interface ClearParams {
  /** Id of the workflow; without it, of all. */
  workflow_id?: string | null;
}

/** How many runs were forgotten. */
export interface ClearResult {
  /** Past executions removed. (at least 0) */
  removed: number;
}

/** What to run. */
export interface ExecuteParams {
  /** Path of the workflow file, relative to the project, or the workflow as an object. (characters: at least 1) */
  workflow: string | WorkflowDraft;
  /** Values for the workflow's inputs, by id. (default {}) */
  inputs?: JsonObject;
  /** How to run it. (default {}) */
  options?: ExecutionOptions;
}

/** A kept or running execution with every attempt of every step, redacted. */
export interface ExecutionDetail {
  /** The execution_id. */
  id: string;
  /** Id of the workflow. */
  workflow_id: string;
  /** Name of the workflow when it ran. */
  workflow_name: string;
  /** When the run started. */
  timestamp: number;
  /** Milliseconds from start to end. (at least 0) */
  duration_ms: number;
  /** `running` while it runs, then how it ended. */
  status: "running" | "success" | "failed" | "cancelled";
  /** The workflow's inputs, defaults included. */
  inputs: JsonObject;
  /** Outputs by step id, of a run that succeeded. */
  outputs?: JsonObject;
  /** Why the run did not succeed. */
  error?: string;
  /** Steps of which at least one attempt started. (at least 0) */
  steps_executed: number;
  /** Steps that ended in an error. (at least 0) */
  steps_failed: number;
  /** Every step of the workflow, by step id. */
  steps: Record<string, StepDetail>;
}

/** What happens in the executions that the client subscribed to. */
export type ExecutionEvent =
  | WorkflowStartedEvent
  | StepStartedEvent
  | StepCompletedEvent
  | StepFailedEvent
  | WorkflowCompletedEvent
  | WorkflowFailedEvent
  | StepOutputEvent
  | StepSkippedEvent;

/** One past run, redacted. */
export interface ExecutionHistoryEntry {
  /** The execution_id. */
  id: string;
  /** Id of the workflow. */
  workflow_id: string;
  /** Name of the workflow when it ran. */
  workflow_name: string;
  /** When the run started. */
  timestamp: number;
  /** Milliseconds from start to end. (at least 0) */
  duration_ms: number;
  /** How the run ended. */
  status: "success" | "failed" | "cancelled";
  /** The workflow's inputs, defaults included. */
  inputs: JsonObject;
  /** Outputs by step id, of a run that succeeded. */
  outputs?: JsonObject;
  /** Why the run did not succeed. */
  error?: string;
  /** Steps of which at least one attempt started. (at least 0) */
  steps_executed: number;
  /** Steps that ended in an error. (at least 0) */
  steps_failed: number;
}

/** Which execution. */
export interface ExecutionIdParams {
  /** Id of the execution. */
  execution_id: string;
}

/** How one execution is run. */
export interface ExecutionOptions {
  /** The caller's own id for the run, a UUID never used before; told in lower case. */
  execution_id?: string | null;
  /** Milliseconds after which the whole run ends as `failed` with `WorkflowTimeout`. (at least 1) */
  deadline_ms?: number | null;
}

/** The answer to `workflow:execute`. Not redacted: it goes to whoever gave the inputs. */
export interface ExecutionResult {
  /** UUID of the run. */
  execution_id: string;
  /** Id of the workflow. */
  workflow_id: string;
  /** How the run ended. */
  status: "success" | "failed" | "cancelled";
  /** Whether `status` is `success`. */
  success: boolean;
  /** Outputs of each step that succeeded, by step id. */
  outputs: Record<string, JsonObject>;
  /** Every step of the workflow, by step id. */
  steps: Record<string, StepResult>;
  /** Why the run did not succeed. */
  error?: string;
  /** Type of that error. */
  error_type?: string;
  /** The step that ended the run. */
  failed_step_id?: string;
  /** Milliseconds from start to end. (at least 0) */
  duration_ms: number;
  /** Steps of which at least one attempt started. (at least 0) */
  steps_executed: number;
  /** Steps that ended in an error. (at least 0) */
  steps_failed: number;
}

/** Whose past executions. */
export interface HistoryParams {
  /** Id of the workflow. */
  workflow_id: string;
  /** At most so many entries; five are kept. (at least 0; default 5) */
  limit?: number;
}

/** Which file. */
export interface LoadParams {
  /** Path of the workflow file, relative to the project. (characters: at least 1) */
  path: string;
}

/** The method takes no params. */
export type NoParams = Record<string, never>;

/** Where a step stands on the canvas. */
export interface NodeMetadata {
  /** The step's id. (characters: at most 128; pattern `^[A-Za-z0-9_][A-Za-z0-9_-]*$`) */
  id: string;
  /** The node's upper left corner. */
  position: Position;
  /** Width in pixels at zoom 1. (more than 0) */
  width?: number;
  /** Height in pixels at zoom 1. (more than 0) */
  height?: number;
}

/** Where a step stands on the canvas. */
export interface NodeMetadataDraft {
  /** The step's id. (characters: at most 128; pattern `^[A-Za-z0-9_][A-Za-z0-9_-]*$`) */
  id: string;
  /** The node's upper left corner. */
  position: PositionDraft;
  /** Width in pixels at zoom 1. (more than 0) */
  width?: number | null;
  /** Height in pixels at zoom 1. (more than 0) */
  height?: number | null;
}

/** An object without fields. */
export type Nothing = Record<string, never>;

/** The OpenRPC 1.3.2 document, told by its outermost members. */
export interface OpenRpcDocument {
  /** Version of the document's form. */
  openrpc: string;
  /** Title, version and description of the wire. */
  info: JsonObject;
  /** Every method: its params, its result, its errors, an example. */
  methods: JsonObject[];
  /** The schemas and errors that methods refer to. */
  components: JsonObject;
  /** What is sent without being answered, by name. */
  "x-notifications": JsonObject;
  /** Schema of `error.data`, by the error's type. */
  "x-error-data": JsonObject;
}

/** A step that only composes a message; its one output is `message`. */
export interface OutputStep {
  /** Name of the step, as in `${steps.ID.outputs.message}`. (characters: at most 128; pattern `^[A-Za-z0-9_][A-Za-z0-9_-]*$`) */
  id: string;
  /** The kind of step: a message. */
  type: "output";
  /** What people see on the node; without it, the id. */
  label?: string;
  /** What the step says. */
  description?: string;
  /** The text; it may hold `${…}` references. */
  message: string;
  /** How a renderer may show the message. */
  format: "text" | "markdown" | "json";
  /** Steps that must have succeeded before, beside those that references name. */
  depends_on: string[];
}

/** A step that only composes a message; its one output is `message`. */
export interface OutputStepDraft {
  /** Name of the step, as in `${steps.ID.outputs.message}`. (characters: at most 128; pattern `^[A-Za-z0-9_][A-Za-z0-9_-]*$`) */
  id: string;
  /** The kind of step: a message. */
  type: "output";
  /** What people see on the node; without it, the id. */
  label?: string | null;
  /** What the step says. */
  description?: string | null;
  /** The text; it may hold `${…}` references. */
  message: string;
  /** How a renderer may show the message. (default "text") */
  format?: "text" | "markdown" | "json";
  /** Steps that must have succeeded before, beside those that references name. (default []) */
  depends_on?: string[];
}

/** A point on the canvas. */
export interface Position {
  /** Pixels from the left at zoom 1. */
  x: number;
  /** Pixels from the top at zoom 1. */
  y: number;
}

/** A point on the canvas. */
export interface PositionDraft {
  /** Pixels from the left at zoom 1. */
  x: number;
  /** Pixels from the top at zoom 1. */
  y: number;
}

/** One thing wrong, where it is, and what to write instead. */
export interface Problem {
  /** Line in the text, from 1; absent when there is no text. */
  line?: number;
  /** Column in the text, from 1, in characters. */
  column?: number;
  /** Where in the value: `steps[0].script`; empty for the whole. */
  field: string;
  /** What is wrong and how to mend it. */
  message: string;
  /** A warning does not make a workflow invalid. */
  severity: "error" | "warning";
  /**
   * What to write instead, verbatim (text that YAML would misread: with its quotes), when it
   * looks like a slip of the pen.
   */
  suggestion?: string;
}

/** The interpreter that scripts run on. */
export interface PythonInfo {
  /** Its executable; null when none was found. */
  path: string | null;
  /** Such as 3.12.4. */
  version: string | null;
  /** Whether scripts can run on it: 3.8 or newer. */
  supported: boolean;
  /** How to get one on this machine. */
  install_guide?: string;
}

/** A step that runs one Python script in a process of its own. */
export interface PythonStep {
  /** Name of the step, as in `${steps.ID.outputs.NAME}`. (characters: at most 128; pattern `^[A-Za-z0-9_][A-Za-z0-9_-]*$`) */
  id: string;
  /** The kind of step: a Python script. */
  type: "python";
  /** What people see on the node; without it, the id. */
  label?: string;
  /** What the step does. */
  description?: string;
  /** Path of the script, relative to the project, inside it. (characters: at least 1) */
  script: string;
  /** The JSON object that the script reads on stdin; values may hold `${…}` references. */
  inputs: JsonObject;
  /** Names that must be in the script's output. */
  outputs?: string[];
  /** Steps that must have succeeded before, beside those that references name. */
  depends_on: string[];
  /** Milliseconds after which an attempt is stopped. (at least 1; at most 86,400,000) */
  timeout: number;
  /** When to try again; without it the step runs once. */
  retry_policy?: RetryPolicy;
  /** Environment variables added for the script; values may hold `${…}` references. */
  env: Record<string, string>;
  /** What the script may reach beyond the project. */
  permissions?: StepPermissions;
}

/** A step that runs one Python script in a process of its own. */
export interface PythonStepDraft {
  /** Name of the step, as in `${steps.ID.outputs.NAME}`. (characters: at most 128; pattern `^[A-Za-z0-9_][A-Za-z0-9_-]*$`) */
  id: string;
  /** The kind of step: a Python script. */
  type: "python";
  /** What people see on the node; without it, the id. */
  label?: string | null;
  /** What the step does. */
  description?: string | null;
  /** Path of the script, relative to the project, inside it. (characters: at least 1) */
  script: string;
  /** The JSON object that the script reads on stdin; values may hold `${…}` references. (default {}) */
  inputs?: JsonObject;
  /** Names that must be in the script's output. */
  outputs?: string[] | null;
  /** Steps that must have succeeded before, beside those that references name. (default []) */
  depends_on?: string[];
  /** Milliseconds after which an attempt is stopped. (at least 1; at most 86,400,000; default 30000) */
  timeout?: number;
  /** When to try again; without it the step runs once. */
  retry_policy?: RetryPolicyDraft | null;
  /** Environment variables added for the script; values may hold `${…}` references. (default {}) */
  env?: Record<string, string>;
  /** What the script may reach beyond the project. */
  permissions?: StepPermissionsDraft | null;
}

/** When and how often a failed step is tried again (FR-9.2.6). */
export interface RetryPolicy {
  /** Attempts in all, the first included. (at least 1; at most 100) */
  max_attempts: number;
  /** Milliseconds before the first retry. (at least 0; at most 3,600,000) */
  initial_delay_ms: number;
  /** Factor by which the delay grows from retry to retry. (at least 1; at most 100) */
  backoff_multiplier: number;
  /** Milliseconds that no delay exceeds. (at least 0; at most 3,600,000) */
  max_delay_ms: number;
  /**
   * Only these errors are retried: names of exception classes, of their base classes, or of
   * the sidecar's own error types such as `ScriptTimeout`.
   */
  retry_on_error_types?: string[];
}

/** When and how often a failed step is tried again (FR-9.2.6). */
export interface RetryPolicyDraft {
  /** Attempts in all, the first included. (at least 1; at most 100; default 3) */
  max_attempts?: number;
  /** Milliseconds before the first retry. (at least 0; at most 3,600,000; default 1000) */
  initial_delay_ms?: number;
  /** Factor by which the delay grows from retry to retry. (at least 1; at most 100; default 2.0) */
  backoff_multiplier?: number;
  /** Milliseconds that no delay exceeds. (at least 0; at most 3,600,000; default 30000) */
  max_delay_ms?: number;
  /**
   * Only these errors are retried: names of exception classes, of their base classes, or of
   * the sidecar's own error types such as `ScriptTimeout`.
   */
  retry_on_error_types?: string[] | null;
}

/** Who answers, and what is in force. */
export interface SidecarInfo {
  /** Version of the sidecar. */
  version: string;
  /** Version of the wire. */
  protocol_version: string;
  /** Process id of the daemon. */
  pid: number;
  /** The project's folder. */
  project: string;
  /** The history file. */
  history: string;
  /** What is wrong with it: damage that was set aside, and why runs are not being kept. */
  history_notices: string[];
  /** The interpreter of the scripts. */
  python: PythonInfo;
  /** What keeps scripts apart from the daemon and from each other, as proven. */
  isolation: Record<string, string>;
  /** Every bound, by name. */
  limits: Record<string, number | number>;
}

/** A running execution at one instant: with the events after `seq`, nothing is missed. */
export interface Snapshot {
  /** UUID of the run. */
  execution_id: string;
  /** Id of the workflow. */
  workflow_id: string;
  /** Name of the workflow. */
  workflow_name: string;
  /** When the run started. */
  timestamp: number;
  /** The last event's number; 0 before the first. (at least 0) */
  seq: number;
  /** Status of every step, by step id. */
  steps: Record<string, "pending" | "running" | "success" | "error" | "skipped">;
}

/** The execution that was started. */
export interface StartResult {
  /** UUID of the run. */
  execution_id: string;
  /** Id of the workflow. */
  workflow_id: string;
}

/** Payload of `step_completed`. */
export interface StepCompletedData {
  /** What the step produced. */
  outputs: JsonObject;
  /** Milliseconds from the first attempt's start to the last one's end, pauses included. (at least 0) */
  execution_time_ms: number;
  /** Attempts after the first. (at least 0) */
  retry_count: number;
}

/** The step succeeded. */
export interface StepCompletedEvent {
  /** Id of the workflow. */
  workflow_id: string;
  /** UUID of the run. */
  execution_id: string;
  /** 1, 2, 3 … within a run, no gaps; optional events repeat the one before them. (at least 0) */
  seq: number;
  /** When it happened. */
  timestamp: number;
  /** Id of the step. */
  step_id: string;
  event_type: "step_completed";
  data: StepCompletedData;
}

/** One step of a kept or running execution, with its attempts. */
export interface StepDetail {
  /** Where the step stands. */
  status: "pending" | "running" | "success" | "error" | "skipped";
  /** What people see on the node. */
  label: string;
  /** In order. */
  attempts: AttemptDetail[];
}

/** Payload of `step_failed`, sent once per failed attempt. */
export interface StepFailedData {
  /** What went wrong. */
  error: string;
  /** Class name of the script's exception, or one of the sidecar's own error types. */
  error_type: string;
  /** The script's traceback, without directories outside the project. */
  stack_trace?: string;
  /** What the script was given. */
  inputs: JsonObject;
  /** Which try failed, counted from 0. (at least 0) */
  retry_attempt: number;
  /** Whether another attempt follows. */
  will_retry: boolean;
  /** Milliseconds until it starts. (at least 0) */
  next_delay_ms?: number;
}

/** An attempt failed. */
export interface StepFailedEvent {
  /** Id of the workflow. */
  workflow_id: string;
  /** UUID of the run. */
  execution_id: string;
  /** 1, 2, 3 … within a run, no gaps; optional events repeat the one before them. (at least 0) */
  seq: number;
  /** When it happened. */
  timestamp: number;
  /** Id of the step. */
  step_id: string;
  event_type: "step_failed";
  data: StepFailedData;
}

/** Payload of `step_output`. */
export interface StepOutputData {
  /** Where the script wrote. */
  stream: "stderr";
  /** One line or several, without the last line's end. */
  text: string;
}

/** What a script writes to stderr, as it comes (only with `include: [step_output]`). */
export interface StepOutputEvent {
  /** Id of the workflow. */
  workflow_id: string;
  /** UUID of the run. */
  execution_id: string;
  /** 1, 2, 3 … within a run, no gaps; optional events repeat the one before them. (at least 0) */
  seq: number;
  /** When it happened. */
  timestamp: number;
  /** Id of the step. */
  step_id: string;
  event_type: "step_output";
  data: StepOutputData;
}

/** What a step needs beyond the project; whoever starts the sidecar must have agreed. */
export interface StepPermissions {
  /**
   * Files and folders to read, project-relative or absolute; outside the project only within a
   * folder given with `--allow-read` or `--allow-write`.
   */
  read: string[];
  /**
   * Files and folders to read and write; outside the project only within a folder given with
   * `--allow-write`.
   */
  write: string[];
  /**
   * Whether the script has the network: yes by default, unless it was closed with
   * `--no-network`.
   */
  network?: boolean;
}

/** What a step needs beyond the project; whoever starts the sidecar must have agreed. */
export interface StepPermissionsDraft {
  /**
   * Files and folders to read, project-relative or absolute; outside the project only within a
   * folder given with `--allow-read` or `--allow-write`. (default [])
   */
  read?: string[];
  /**
   * Files and folders to read and write; outside the project only within a folder given with
   * `--allow-write`. (default [])
   */
  write?: string[];
  /**
   * Whether the script has the network: yes by default, unless it was closed with
   * `--no-network`.
   */
  network?: boolean | null;
}

/** How one step of an ended execution went. */
export interface StepResult {
  /** `success`, `error`, or `skipped` when the run ended before the step's turn. */
  status: "pending" | "running" | "success" | "error" | "skipped";
  /** Whether the step succeeded. */
  success: boolean;
  /** What the step produced; empty unless it succeeded. */
  outputs: JsonObject;
  /** What went wrong in the last attempt. */
  error?: string;
  /** Class name of the script's exception, or one of the sidecar's own error types. */
  error_type?: string;
  /** Attempts after the first. (at least 0) */
  retry_count: number;
  /** Milliseconds from the first attempt's start to the last one's end, pauses included. (at least 0) */
  execution_time_ms: number;
}

/** Payload of `step_skipped`: the run ended before the step's turn. */
export interface StepSkippedData {
  /** Why. */
  reason: string;
}

/** A step that never had its turn (only with `include: [step_skipped]`). */
export interface StepSkippedEvent {
  /** Id of the workflow. */
  workflow_id: string;
  /** UUID of the run. */
  execution_id: string;
  /** 1, 2, 3 … within a run, no gaps; optional events repeat the one before them. (at least 0) */
  seq: number;
  /** When it happened. */
  timestamp: number;
  /** Id of the step. */
  step_id: string;
  event_type: "step_skipped";
  data: StepSkippedData;
}

/** Payload of `step_started`, sent once per attempt. */
export interface StepStartedData {
  /** What people see on the node. */
  step_label: string;
  /** What the script is given. */
  inputs: JsonObject;
  /** Counts from 1. (at least 1) */
  attempt: number;
}

/** An attempt starts. */
export interface StepStartedEvent {
  /** Id of the workflow. */
  workflow_id: string;
  /** UUID of the run. */
  execution_id: string;
  /** 1, 2, 3 … within a run, no gaps; optional events repeat the one before them. (at least 0) */
  seq: number;
  /** When it happened. */
  timestamp: number;
  /** Id of the step. */
  step_id: string;
  event_type: "step_started";
  data: StepStartedData;
}

/** A listener is keyed by (connection, workflow_id, subscriber). */
export interface SubscribeParams {
  /** Whose executions to hear of; `*` means all. (default "*") */
  workflow_id?: string;
  /** Name that lets one connection serve several windows. (default "") */
  subscriber?: string;
  /** Event types wanted beside the six. (default []) */
  include?: ("step_output" | "step_skipped")[];
}

/** The listener, and what runs at the instant it was added. */
export interface SubscribeResult {
  /** Always true. */
  subscribed: boolean;
  /** As asked. */
  workflow_id: string;
  /** As asked. */
  subscriber: string;
  /** Running executions that match; the events that follow miss and repeat nothing. */
  active: Snapshot[];
}

/** What an editor keeps about the drawing; running a workflow never reads it. */
export interface UiMetadata {
  /** One entry per placed step. */
  nodes: NodeMetadata[];
  /** Zoom and pan. */
  viewport?: Viewport;
}

/** What an editor keeps about the drawing; running a workflow never reads it. */
export interface UiMetadataDraft {
  /** One entry per placed step. (default []) */
  nodes?: NodeMetadataDraft[];
  /** Zoom and pan. */
  viewport?: ViewportDraft | null;
}

/** Which listener to remove. */
export interface UnsubscribeParams {
  /** The listener's workflow; without it, all listeners of the subscriber. */
  workflow_id?: string | null;
  /** The listener's subscriber. (default "") */
  subscriber?: string;
}

/** Whether there was such a listener. */
export interface UnsubscribeResult {
  /** False when there was none. */
  unsubscribed: boolean;
}

/** What to validate. */
export interface ValidateParams {
  /** A path, a YAML text (of several lines, or with a `key: value`), or an object. (characters: at least 1) */
  workflow: string | JsonObject;
}

/** Every problem of a workflow. */
export interface ValidateResult {
  /** Whether there are no errors. */
  valid: boolean;
  /** Problems that keep it from running through. */
  errors: Problem[];
  /** Problems that do not. */
  warnings: Problem[];
}

/** The part of the canvas last looked at. */
export interface Viewport {
  /** Scale; 1 is life size. (more than 0) */
  zoom: number;
  /** Horizontal pan in pixels. */
  x: number;
  /** Vertical pan in pixels. */
  y: number;
}

/** The part of the canvas last looked at. */
export interface ViewportDraft {
  /** Scale; 1 is life size. (more than 0; default 1.0) */
  zoom?: number;
  /** Horizontal pan in pixels. (default 0.0) */
  x?: number;
  /** Vertical pan in pixels. (default 0.0) */
  y?: number;
}

/** A workflow file. */
export interface Workflow {
  /** Name, id and description. */
  workflow: WorkflowInfo;
  /** Values that whoever starts the workflow gives. */
  inputs: WorkflowInput[];
  /** What is done; the order follows from dependencies, then from the file. (entries: at least 1; entries: at most 20,000) */
  steps: (PythonStep | OutputStep)[];
  /** What an editor keeps about the drawing. */
  ui_metadata?: UiMetadata;
}

/** Payload of `workflow_completed`. */
export interface WorkflowCompletedData {
  /** Outputs by step id. */
  outputs: JsonObject;
  /** Milliseconds from start to end. (at least 0) */
  duration_ms: number;
  /** Steps of which at least one attempt started. (at least 0) */
  steps_executed: number;
  /** Steps that ended in an error: none. (at least 0) */
  steps_failed: number;
}

/** The last event of a run that succeeded. */
export interface WorkflowCompletedEvent {
  /** Id of the workflow. */
  workflow_id: string;
  /** UUID of the run. */
  execution_id: string;
  /** 1, 2, 3 … within a run, no gaps; optional events repeat the one before them. (at least 0) */
  seq: number;
  /** When it happened. */
  timestamp: number;
  event_type: "workflow_completed";
  data: WorkflowCompletedData;
}

/** A workflow file. */
export interface WorkflowDraft {
  /** Name, id and description. */
  workflow: WorkflowInfoDraft;
  /** Values that whoever starts the workflow gives. (default []) */
  inputs?: WorkflowInputDraft[];
  /** What is done; the order follows from dependencies, then from the file. (entries: at least 1; entries: at most 20,000) */
  steps: (PythonStepDraft | OutputStepDraft)[];
  /** What an editor keeps about the drawing. */
  ui_metadata?: UiMetadataDraft | null;
}

/** Payload of `workflow_failed`: the run failed or was cancelled. */
export interface WorkflowFailedData {
  /** Why. */
  error: string;
  /** Type of that error. */
  error_type: string;
  /** The step that ended the run. */
  failed_step_id?: string;
  /** Which of the two. */
  status: "failed" | "cancelled";
  /** Milliseconds from start to end. (at least 0) */
  duration_ms: number;
  /** Steps of which at least one attempt started. (at least 0) */
  steps_executed: number;
  /** Steps that ended in an error. (at least 0) */
  steps_failed: number;
}

/** The last event of a run that failed or was cancelled. */
export interface WorkflowFailedEvent {
  /** Id of the workflow. */
  workflow_id: string;
  /** UUID of the run. */
  execution_id: string;
  /** 1, 2, 3 … within a run, no gaps; optional events repeat the one before them. (at least 0) */
  seq: number;
  /** When it happened. */
  timestamp: number;
  event_type: "workflow_failed";
  data: WorkflowFailedData;
}

/** Who the workflow is: the root key `workflow`. */
export interface WorkflowInfo {
  /** Stable id that runs are kept under; without it, `name` is the id. (characters: at least 1; characters: at most 256) */
  id?: string;
  /** What people call the workflow. (characters: at least 1; characters: at most 256) */
  name: string;
  /** The author's version of the workflow, in quotes: "1.0.0". */
  version?: string;
  /** What the workflow is for. */
  description?: string;
  /** Words to find the workflow by. */
  tags: string[];
  /** Who wrote the workflow. */
  author?: string;
}

/** Who the workflow is: the root key `workflow`. */
export interface WorkflowInfoDraft {
  /** Stable id that runs are kept under; without it, `name` is the id. (characters: at least 1; characters: at most 256) */
  id?: string | null;
  /** What people call the workflow. (characters: at least 1; characters: at most 256) */
  name: string;
  /** The author's version of the workflow, in quotes: "1.0.0". */
  version?: string | null;
  /** What the workflow is for. */
  description?: string | null;
  /** Words to find the workflow by. (default []) */
  tags?: string[];
  /** Who wrote the workflow. */
  author?: string | null;
}

/** One value that whoever starts the workflow gives. */
export interface WorkflowInput {
  /** Name of the input, as in `${workflow.inputs.ID}`. (characters: at most 128; pattern `^[A-Za-z0-9_][A-Za-z0-9_-]*$`) */
  id: string;
  /** Kind of value; `file` and `directory` are paths inside the project. */
  type: "string" | "number" | "boolean" | "file" | "directory" | "select";
  /** What a form shows beside the field. */
  label?: string;
  /** Help for whoever fills in the field. */
  description?: string;
  /** Whether a run without a value for it is refused. */
  required: boolean;
  /** Value used when none is given; must itself be of the input's type. */
  default?: JsonValue;
  /** Hides the value in events, history and logs. */
  secret: boolean;
  /** The values allowed; a `select` needs them, a `string` may have them. (entries: at least 1) */
  options?: string[];
  /** Regular expression (RE2 syntax, unanchored) that a `string` must match. */
  pattern?: string;
  /** Least value of a `number`, or least number of characters of a `string`. */
  min?: number;
  /** Greatest value of a `number`, or greatest number of characters of a `string`. */
  max?: number;
}

/** One value that whoever starts the workflow gives. */
export interface WorkflowInputDraft {
  /** Name of the input, as in `${workflow.inputs.ID}`. (characters: at most 128; pattern `^[A-Za-z0-9_][A-Za-z0-9_-]*$`) */
  id: string;
  /** Kind of value; `file` and `directory` are paths inside the project. */
  type: "string" | "number" | "boolean" | "file" | "directory" | "select";
  /** What a form shows beside the field. */
  label?: string | null;
  /** Help for whoever fills in the field. */
  description?: string | null;
  /** Whether a run without a value for it is refused. (default false) */
  required?: boolean;
  /** Value used when none is given; must itself be of the input's type. */
  default?: JsonValue;
  /** Hides the value in events, history and logs. (default false) */
  secret?: boolean;
  /** The values allowed; a `select` needs them, a `string` may have them. (entries: at least 1) */
  options?: string[] | null;
  /** Regular expression (RE2 syntax, unanchored) that a `string` must match. */
  pattern?: string | null;
  /** Least value of a `number`, or least number of characters of a `string`. */
  min?: number | null;
  /** Greatest value of a `number`, or greatest number of characters of a `string`. */
  max?: number | null;
}

/** One workflow file of the project; a broken one has `errors` instead of a name. */
export interface WorkflowListEntry {
  /** Relative to the project. */
  path: string;
  /** Id that runs are kept under. */
  workflow_id?: string;
  /** What people call the workflow. */
  name?: string;
  /** The author's version. */
  version?: string;
  /** What the workflow is for. */
  description?: string;
  /** Words to find it by. */
  tags?: string[];
  /** Who wrote it. */
  author?: string;
  /** How many steps it has. */
  step_count?: number;
  /** Why the file cannot be run. */
  errors?: Problem[];
}

/** Payload of `workflow_started`. */
export interface WorkflowStartedData {
  /** Name of the workflow. */
  workflow_name: string;
  /** The workflow's inputs, defaults included. */
  inputs: JsonObject;
  /** All steps, in the order of execution. */
  step_ids: string[];
}

/** The first event of every run. */
export interface WorkflowStartedEvent {
  /** Id of the workflow. */
  workflow_id: string;
  /** UUID of the run. */
  execution_id: string;
  /** 1, 2, 3 … within a run, no gaps; optional events repeat the one before them. (at least 0) */
  seq: number;
  /** When it happened. */
  timestamp: number;
  event_type: "workflow_started";
  data: WorkflowStartedData;
}

/** Every method: its params by name or by position (`args`), its result. */
export interface Methods {
  /** Hear of executions from now on; answers with those that run */
  "workflow:execution:subscribe": {
    params: SubscribeParams;
    args: [workflow_id?: string, subscriber?: string, include?: ("step_output" | "step_skipped")[]];
    result: SubscribeResult;
  };
  /** Stop hearing of executions; nobody else's listener is touched */
  "workflow:execution:unsubscribe": {
    params: UnsubscribeParams;
    args: [workflow_id?: string | null, subscriber?: string];
    result: UnsubscribeResult;
  };
  /** The newest past executions of a workflow */
  "workflow:execution:history": {
    params: HistoryParams;
    args: [workflow_id: string, limit?: number];
    result: ExecutionHistoryEntry[];
  };
  /** Run a workflow; answers when it has ended */
  "workflow:execute": {
    params: ExecuteParams;
    args: [workflow: string | WorkflowDraft, inputs?: JsonObject, options?: ExecutionOptions];
    result: ExecutionResult;
  };
  /** Run a workflow; answers at once */
  "workflow:execution:start": {
    params: ExecuteParams;
    args: [workflow: string | WorkflowDraft, inputs?: JsonObject, options?: ExecutionOptions];
    result: StartResult;
  };
  /** End a running execution */
  "workflow:execution:cancel": {
    params: ExecutionIdParams;
    args: [execution_id: string];
    result: CancelResult;
  };
  /** A running or kept execution with every attempt of every step */
  "workflow:execution:get": {
    params: ExecutionIdParams;
    args: [execution_id: string];
    result: ExecutionDetail;
  };
  /** The executions that run now */
  "workflow:execution:active": {
    params: NoParams;
    args: [];
    result: Snapshot[];
  };
  /** Forget past executions */
  "workflow:execution:clear": {
    params: ClearParams;
    args: [workflow_id?: string | null];
    result: ClearResult;
  };
  /** The project's workflow files */
  "workflow:list": {
    params: NoParams;
    args: [];
    result: WorkflowListEntry[];
  };
  /** A workflow file, checked, with defaults filled in */
  "workflow:load": {
    params: LoadParams;
    args: [path: string];
    result: Workflow;
  };
  /** Every problem of a workflow */
  "workflow:validate": {
    params: ValidateParams;
    args: [workflow: string | JsonObject];
    result: ValidateResult;
  };
  /** Versions, paths, limits, what is in force */
  "sidecar:info": {
    params: NoParams;
    args: [];
    result: SidecarInfo;
  };
  /** End the daemon as end of stdin does */
  "sidecar:shutdown": {
    params: NoParams;
    args: [];
    result: Nothing;
  };
  /** The OpenRPC document of this table */
  "rpc.discover": {
    params: NoParams;
    args: [];
    result: OpenRpcDocument;
  };
}

/** What the client may send without an answer, with its params. */
export interface ClientNotifications {
  /** Cancels a request in flight, which then answers -32800; for workflow:execute that cancels the run */
  "$/cancelRequest": CancelRequestParams;
}

/** What the sidecar sends by itself, with its params. */
export interface SidecarNotifications {
  /** What happens in the executions that the client subscribed to */
  "workflow:execution:event": ExecutionEvent;
}

/** Every error that a request may be answered with, by `data.type`. */
export interface Errors {
  /** the message is not JSON */
  ParseError: {
    code: -32700;
    message: string;
    data: {
      /** Name of the error; one for each code. */
      type: "ParseError";
    };
  };
  /** the JSON is no request */
  InvalidRequest: {
    code: -32600;
    message: string;
    data: {
      /** Name of the error; one for each code. */
      type: "InvalidRequest";
    };
  };
  /** there is no such method */
  MethodNotFound: {
    code: -32601;
    message: string;
    data: {
      /** Name of the error; one for each code. */
      type: "MethodNotFound";
    };
  };
  /** params do not fit the method; data.errors names each field */
  InvalidParams: {
    code: -32602;
    message: string;
    data: {
      /** Name of the error; one for each code. */
      type: "InvalidParams";
      /** One for each field that does not fit; absent when a path may not be used. */
      errors?: Problem[];
    };
  };
  /** a bug of ours; data.correlation_id finds it in the log */
  InternalError: {
    code: -32603;
    message: string;
    data: {
      /** Name of the error; one for each code. */
      type: "InternalError";
      /** Finds the bug in the log. */
      correlation_id?: string;
    };
  };
  /** no such workflow file */
  WorkflowNotFound: {
    code: -32001;
    message: string;
    data: {
      /** Name of the error; one for each code. */
      type: "WorkflowNotFound";
    };
  };
  /** the workflow has errors; data.errors holds every one */
  WorkflowInvalid: {
    code: -32002;
    message: string;
    data: {
      /** Name of the error; one for each code. */
      type: "WorkflowInvalid";
      /** Every problem, as `workflow:validate` shows it. */
      errors: Problem[];
    };
  };
  /** no running or kept execution has this id */
  ExecutionNotFound: {
    code: -32003;
    message: string;
    data: {
      /** Name of the error; one for each code. */
      type: "ExecutionNotFound";
    };
  };
  /** inputs do not fit the workflow; data.errors names each field */
  InvalidInputs: {
    code: -32004;
    message: string;
    data: {
      /** Name of the error; one for each code. */
      type: "InvalidInputs";
      /** Every problem, as `workflow:validate` shows it. */
      errors: Problem[];
    };
  };
  /** the sidecar starts nothing new */
  ShuttingDown: {
    code: -32005;
    message: string;
    data: {
      /** Name of the error; one for each code. */
      type: "ShuttingDown";
    };
  };
  /** the history file cannot be read or written */
  HistoryUnavailable: {
    code: -32006;
    message: string;
    data: {
      /** Name of the error; one for each code. */
      type: "HistoryUnavailable";
    };
  };
  /** as many executions run or wait as the sidecar takes; start it again when some have ended */
  Overloaded: {
    code: -32007;
    message: string;
    data: {
      /** Name of the error; one for each code. */
      type: "Overloaded";
    };
  };
  /** the client cancelled the request with $/cancelRequest */
  RequestCancelled: {
    code: -32800;
    message: string;
    data: {
      /** Name of the error; one for each code. */
      type: "RequestCancelled";
    };
  };
}

/** Any error. */
export type WireError = Errors[keyof Errors];

/** The code of any error. */
export type ErrorCode =
  | -32700
  | -32600
  | -32601
  | -32602
  | -32603
  | -32001
  | -32002
  | -32003
  | -32004
  | -32005
  | -32006
  | -32007
  | -32800;

/** The name of any method. */
export type MethodName = keyof Methods;

/** The type of any execution event. */
export type EventType = ExecutionEvent["event_type"];

/** The execution event of one type. */
export type EventOf<T extends EventType> = Extract<ExecutionEvent, { event_type: T }>;
