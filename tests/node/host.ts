// A host as a TypeScript author writes it; tsc must find nothing wrong with it.
import type {
  ClientNotifications,
  ErrorCode,
  Errors,
  EventOf,
  EventType,
  ExecutionEvent,
  ExecutionResult,
  JsonValue,
  MethodName,
  Methods,
  Problem,
  SidecarNotifications,
  Snapshot,
  WireError,
  WorkflowDraft,
} from "../../protocol/generated/protocol";

declare function post(text: string): void;

type Pending = { resolve: (result: never) => void; reject: (error: WireError) => void };
const pending = new Map<number, Pending>();
let lastId = 0;

export function call<M extends MethodName>(
  method: M,
  params: Methods[M]["params"],
): Promise<Methods[M]["result"]> {
  return send<Methods[M]["result"]>(method, params);
}

export function invoke<M extends MethodName>(
  channel: M,
  ...args: Methods[M]["args"]
): Promise<Methods[M]["result"]> {
  return send<Methods[M]["result"]>(channel, args);
}

function send<R>(method: MethodName, params: unknown): Promise<R> {
  const id = ++lastId;
  post(JSON.stringify({ jsonrpc: "2.0", id, method, params }));
  return new Promise<R>((resolve, reject) => pending.set(id, { resolve, reject }));
}

export function notify<N extends keyof ClientNotifications>(
  method: N,
  params: ClientNotifications[N],
): void {
  post(JSON.stringify({ jsonrpc: "2.0", method, params }));
}

export function received<N extends keyof SidecarNotifications>(
  name: N,
  params: SidecarNotifications[N],
): string {
  return `${name}: ${told(params)}`;
}

/** Every event type has its case: one more would not compile. */
export function told(event: ExecutionEvent): string {
  switch (event.event_type) {
    case "workflow_started":
      return `${event.data.workflow_name}: ${event.data.step_ids.join(", ")}`;
    case "step_started":
      return `${event.step_id} (${event.data.step_label}), attempt ${event.data.attempt}`;
    case "step_completed":
      return `${event.step_id}: ${event.data.execution_time_ms} ms`;
    case "step_failed": {
      const delay: number | undefined = event.data.next_delay_ms;
      return `${event.data.error_type}: ${event.data.error}, again in ${delay ?? "no"} ms`;
    }
    case "workflow_completed":
      return `${event.data.steps_executed} steps`;
    case "workflow_failed": {
      const status: "failed" | "cancelled" = event.data.status;
      return `${status} in ${event.data.failed_step_id ?? "no step"}`;
    }
    case "step_output":
      return event.data.text;
    case "step_skipped":
      return event.data.reason;
    default: {
      const nothing: never = event;
      return nothing;
    }
  }
}

/** So has every error. */
export function explained(error: WireError): string {
  const code: ErrorCode = error.code;
  switch (error.data.type) {
    case "WorkflowInvalid":
    case "InvalidInputs":
      return error.data.errors.map(placed).join("\n");
    case "InvalidParams":
      return error.data.errors?.map(placed).join("\n") ?? error.message;
    case "InternalError":
      return error.data.correlation_id ?? error.message;
    case "ParseError":
    case "InvalidRequest":
    case "MethodNotFound":
    case "WorkflowNotFound":
    case "ExecutionNotFound":
    case "ShuttingDown":
    case "Overloaded":
    case "HistoryUnavailable":
    case "RequestCancelled":
      return `${code}: ${error.message}`;
    default: {
      const nothing: never = error.data;
      return nothing;
    }
  }
}

const placed = (problem: Problem): string =>
  `${problem.line ?? "?"}:${problem.column ?? "?"}: ${problem.severity}: ${problem.message}`;

export const shuttingDown: Errors["ShuttingDown"]["code"] = -32005;
export const terminal: readonly EventType[] = ["workflow_completed", "workflow_failed"];
export type Failure = EventOf<"step_failed">["data"];

const draft: WorkflowDraft = {
  workflow: { name: "Inline" },
  steps: [
    { id: "count", type: "python", script: "./count.py", retry_policy: { max_attempts: 3 } },
    { id: "done", type: "output", message: "${steps.count.outputs.total}" },
  ],
};

export async function session(): Promise<void> {
  const { active } = await call("workflow:execution:subscribe", { include: ["step_output"] });
  const known: Snapshot | undefined = active[0];
  const result: ExecutionResult = await call("workflow:execute", {
    workflow: "greet.yaml",
    inputs: { who: "Ada", more: [1, null, { deep: true }] },
    options: { deadline_ms: 60_000 },
  });
  const message: JsonValue | undefined = result.outputs["done"]?.["message"];
  const steps = Object.entries(result.steps).map(([id, step]) => `${id} ${step.retry_count}`);
  const { execution_id } = await invoke("workflow:execution:start", draft);
  await invoke("workflow:execution:cancel", execution_id);
  const detail = await call("workflow:execution:get", { execution_id });
  const attempts: number[] = Object.values(detail.steps).map((step) => step.attempts.length);
  for (const entry of await invoke("workflow:execution:history", "greet"))
    steps.push(`${entry.id} ${entry.status} ${entry.error ?? ""}`);
  // What was loaded can be changed and run.
  const loaded = await call("workflow:load", { path: "greet.yaml" });
  await call("workflow:execute", { workflow: { ...loaded, inputs: [] } });
  const info = await call("sidecar:info", {});
  const python: string | null = info.python.path;
  notify("$/cancelRequest", { id: lastId });
  await call("sidecar:shutdown", {});
  post(JSON.stringify({ known, message, steps, attempts, python }));
}
