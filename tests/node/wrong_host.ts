// A host with mistakes; each `// TS…` names the error that tsc must report on its line.
import type { ExecutionEvent, Methods, WireError } from "../../protocol/generated/protocol";

declare function call<M extends keyof Methods>(
  method: M,
  params: Methods[M]["params"],
): Promise<Methods[M]["result"]>;
declare function invoke<M extends keyof Methods>(
  channel: M,
  ...args: Methods[M]["args"]
): Promise<Methods[M]["result"]>;

export async function mistakes(): Promise<void> {
  await call("workflow:exekute", { workflow: "a.yaml" }); // TS2345
  await call("workflow:execute", {}); // TS2345
  await call("workflow:execute", { workflow: "a.yaml", input: {} }); // TS2561
  await call("workflow:execute", { workflow: { steps: [] } }); // TS2322
  await call("workflow:execution:history", { workflow_id: "a", limit: "5" }); // TS2322
  await call("workflow:execution:subscribe", { include: ["step_started"] }); // TS2322
  await call("sidecar:info", { verbose: true }); // TS2322
  await invoke("workflow:execution:cancel"); // TS2554
  await invoke("workflow:load", "a.yaml", "b.yaml"); // TS2554
  const result = await call("workflow:execute", { workflow: "a.yaml" });
  const error: string = result.error; // TS2322
  result.status === "error"; // TS2367
  const outputs: Record<string, string> = result.outputs; // TS2322
  const told: string = outputs["a"]; // TS2322
  await call("workflow:execution:cancel", { execution_id: result.steps["a"].status }); // TS2532
  await call("workflow:validate", { workflow: error + told, strict: true }); // TS2353
}

export function told(event: ExecutionEvent): string {
  event.data.attempt; // TS2339
  switch (event.event_type) {
    case "step_paused": // TS2678
      return "";
    case "workflow_started":
      return event.step_id; // TS2339
    case "step_failed":
      return event.data.stack_trace; // TS2322
    default: {
      const nothing: never = event; // TS2322
      return nothing;
    }
  }
}

export const unknown = (error: WireError): boolean => error.code === -32099; // TS2367
