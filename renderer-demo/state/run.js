// One run, as far as this page has heard of it: built from events, snapshots and details, in
// whatever order they come. Pure functions: a run is never changed, a new one is returned.
//
// Everything is a join. A step only ever advances (attempts are added, an attempt ends, the step
// ends), so of two things heard about it the further one holds, and hearing something twice, late
// or out of order changes nothing. Steps are kept in Maps: a step may be called `__proto__`.

/** @import { AttemptDetail, ExecutionDetail, ExecutionEvent, JsonObject, Snapshot, StepDetail } from "../../protocol/generated/protocol.js" */

/** @typedef {"pending" | "running" | "success" | "error" | "skipped"} StepStatus */
/** @typedef {"running" | "success" | "failed" | "cancelled"} RunStatus */

/**
 * One try of a step. `duration_ms` is there once it has ended.
 * @typedef {AttemptDetail} Attempt
 */

/**
 * `nextAttemptAt`: epoch milliseconds of the next try, while the step waits for it.
 * @typedef {object} Step
 * @property {string} id
 * @property {string | null} label  null until somebody said it
 * @property {StepStatus} status
 * @property {readonly Attempt[]} attempts  by number, without a gap unless the run is incomplete
 * @property {number | null} nextAttemptAt
 */

/**
 * `missing` is not 0 while something about the run is known to be missing, which a detail heals:
 * it grows with each gap, so that the answer to a question from before the gap does not count.
 *
 * @typedef {object} Run
 * @property {string} id
 * @property {string} workflowId
 * @property {string} workflowName
 * @property {number} timestamp  epoch milliseconds of its start
 * @property {number} seq  of the last event or snapshot heard
 * @property {RunStatus} status
 * @property {number | null} durationMs  null while it runs
 * @property {JsonObject} inputs
 * @property {JsonObject | null} outputs
 * @property {string | null} error
 * @property {string | null} failedStepId
 * @property {ReadonlyMap<string, Step>} steps  in the order of execution, as far as known
 * @property {number} missing
 */

/** Of a running script's stderr, the most that is kept, in characters: the newest. */
const MAX_STREAMED = 65_536;

/**
 * @param {{execution_id: string, workflow_id: string, timestamp: number}} heard
 * @returns {Run}
 */
function newRun(heard) {
  return {
    id: heard.execution_id,
    workflowId: heard.workflow_id,
    workflowName: heard.workflow_id,
    timestamp: heard.timestamp,
    seq: 0,
    status: "running",
    durationMs: null,
    inputs: {},
    outputs: null,
    error: null,
    failedStepId: null,
    steps: new Map(),
    missing: 0,
  };
}

/**
 * @param {string} id
 * @returns {Step}
 */
function newStep(id) {
  return { id, label: null, status: "pending", attempts: [], nextAttemptAt: null };
}

/**
 * @param {Run | undefined} run  undefined when nothing has been heard of it
 * @param {ExecutionEvent} event
 * @returns {Run}
 */
export function withEvent(run, event) {
  const known = run ?? newRun(event);
  // An optional event repeats the number of the one before it.
  const optional = event.event_type === "step_output" || event.event_type === "step_skipped";
  const expected = optional ? known.seq : known.seq + 1;
  if (known.status !== "running" || event.seq < expected) return known;
  const next = applied(known, event);
  const missing = event.seq === expected ? next.missing : next.missing + 1;
  return { ...next, seq: event.seq, missing };
}

/**
 * @param {Run} run
 * @param {ExecutionEvent} event
 * @returns {Run}
 */
function applied(run, event) {
  switch (event.event_type) {
    case "workflow_started": {
      const { workflow_name, inputs, step_ids } = event.data;
      const steps = new Map(step_ids.map((id) => [id, run.steps.get(id) ?? newStep(id)]));
      for (const [id, step] of run.steps) if (!steps.has(id)) steps.set(id, step);
      return { ...run, workflowName: workflow_name, inputs, timestamp: event.timestamp, steps };
    }
    case "step_started": {
      const { attempt, inputs, step_label } = event.data;
      return withStep(run, event.step_id, {
        label: step_label,
        status: "running",
        attempts: [{ attempt, timestamp: event.timestamp, inputs }],
        nextAttemptAt: null,
      });
    }
    case "step_completed": {
      const attempt = event.data.retry_count + 1;
      const ended = endedAttempt(run, event.step_id, attempt, event.timestamp);
      return withStep(run, event.step_id, {
        status: "success",
        attempts: [{ ...ended, outputs: event.data.outputs }],
        nextAttemptAt: null,
      });
    }
    case "step_failed": {
      const { error, error_type, stack_trace, inputs, retry_attempt } = event.data;
      const ended = endedAttempt(run, event.step_id, retry_attempt + 1, event.timestamp);
      const trace = stack_trace === undefined ? {} : { stack_trace };
      const { will_retry, next_delay_ms = 0 } = event.data;
      return withStep(run, event.step_id, {
        status: "error",
        attempts: [{ ...ended, inputs, error, error_type, ...trace }],
        nextAttemptAt: will_retry ? event.timestamp + next_delay_ms : null,
      });
    }
    case "step_output":
      return withOutput(run, event.step_id, event.data.text);
    case "step_skipped":
      return withStep(run, event.step_id, { status: "skipped", attempts: [], nextAttemptAt: null });
    case "workflow_completed":
      return ended({
        ...run,
        status: "success",
        durationMs: event.data.duration_ms,
        outputs: event.data.outputs,
      });
    case "workflow_failed":
      return ended({
        ...run,
        status: event.data.status,
        durationMs: event.data.duration_ms,
        error: event.data.error,
        failedStepId: event.data.failed_step_id ?? null,
      });
    default:
      // A newer sidecar may tell of more; what is not known is not shown.
      return run;
  }
}

/**
 * The attempt as it stands, or as much of it as its end tells, with its duration.
 * @param {Run} run
 * @param {string} stepId
 * @param {number} number
 * @param {number} now
 * @returns {Attempt}
 */
function endedAttempt(run, stepId, number, now) {
  const known = run.steps.get(stepId)?.attempts.find((item) => item.attempt === number);
  const attempt = known ?? { attempt: number, timestamp: now, inputs: {} };
  return { ...attempt, duration_ms: attempt.duration_ms ?? Math.max(0, now - attempt.timestamp) };
}

/**
 * What ends with the run: steps that never had their turn.
 * @param {Run} run
 * @returns {Run}
 */
function ended(run) {
  const steps = new Map(run.steps);
  for (const [id, step] of steps) {
    if (step.status === "pending") steps.set(id, { ...step, status: "skipped" });
    else if (step.nextAttemptAt !== null) steps.set(id, { ...step, nextAttemptAt: null });
  }
  // What a step wrote is known only to those who watched it; the record has all of it.
  return { ...run, steps, missing: run.missing + 1 };
}

/**
 * @param {Run} run
 * @param {string} stepId
 * @param {string} text
 * @returns {Run}
 */
function withOutput(run, stepId, text) {
  const step = run.steps.get(stepId);
  const last = step?.attempts.at(-1);
  if (step === undefined || last === undefined || last.duration_ms !== undefined) return run;
  const stderr = `${last.stderr ?? ""}${text}\n`.slice(-MAX_STREAMED);
  const attempts = [...step.attempts.slice(0, -1), { ...last, stderr }];
  return { ...run, steps: new Map(run.steps).set(stepId, { ...step, attempts }) };
}

/**
 * The run with what was heard of one step joined in.
 * @param {Run} run
 * @param {string} stepId
 * @param {Partial<Step>} heard
 * @returns {Run}
 */
function withStep(run, stepId, heard) {
  const step = run.steps.get(stepId) ?? newStep(stepId);
  return { ...run, steps: new Map(run.steps).set(stepId, joined(step, heard)) };
}

/**
 * How far a step has come: it grows with every event of the step.
 * @param {StepStatus} status
 * @param {readonly Attempt[]} attempts
 */
function progress(status, attempts) {
  if (status === "success" || status === "skipped") return Infinity;
  const last = attempts.at(-1);
  if (last === undefined) return status === "pending" ? 0 : 1;
  return 2 * last.attempt + (last.duration_ms === undefined ? 0 : 1);
}

/**
 * @param {Step} step
 * @param {Partial<Step>} heard
 * @returns {Step}
 */
function joined(step, heard) {
  const heardAttempts = heard.attempts ?? [];
  const attempts = joinedAttempts(step.attempts, heardAttempts);
  const label = heard.label ?? step.label;
  const isNews =
    progress(heard.status ?? step.status, heardAttempts) >= progress(step.status, step.attempts);
  if (!isNews) return { ...step, label, attempts };
  return {
    ...step,
    label,
    attempts,
    status: heard.status ?? step.status,
    nextAttemptAt: heard.nextAttemptAt === undefined ? step.nextAttemptAt : heard.nextAttemptAt,
  };
}

/**
 * @param {readonly Attempt[]} before
 * @param {readonly Attempt[]} heard
 * @returns {readonly Attempt[]}
 */
function joinedAttempts(before, heard) {
  if (heard.length === 0) return before;
  const byNumber = new Map(before.map((attempt) => [attempt.attempt, attempt]));
  for (const attempt of heard) {
    const known = byNumber.get(attempt.attempt);
    byNumber.set(attempt.attempt, known === undefined ? attempt : joinedAttempt(known, attempt));
  }
  return [...byNumber.values()].sort((one, other) => one.attempt - other.attempt);
}

/**
 * @param {Attempt} known
 * @param {Attempt} heard
 * @returns {Attempt}
 */
function joinedAttempt(known, heard) {
  if (known.duration_ms === undefined || heard.duration_ms !== undefined) return { ...known, ...heard };
  // Of an attempt whose end was heard before its beginning, the beginning is news.
  const { timestamp, inputs } = heard;
  const end = known.timestamp + known.duration_ms;
  return { ...heard, ...known, timestamp, inputs, duration_ms: Math.max(0, end - timestamp) };
}

/**
 * What runs at the instant of a subscription. It tells statuses and nothing else, so whatever is
 * new in it leaves the run incomplete.
 * @param {Run | undefined} run
 * @param {Snapshot} snapshot
 * @returns {Run}
 */
export function withSnapshot(run, snapshot) {
  const known = run ?? newRun(snapshot);
  if (known.status !== "running" || (run !== undefined && snapshot.seq <= known.seq)) return known;
  const steps = new Map(known.steps);
  for (const [id, status] of Object.entries(snapshot.steps)) {
    const step = steps.get(id) ?? newStep(id);
    // A snapshot that is ahead of us is further in every step.
    steps.set(id, status === step.status ? step : { ...step, status, nextAttemptAt: null });
  }
  return {
    ...known,
    workflowName: snapshot.workflow_name,
    timestamp: snapshot.timestamp,
    seq: snapshot.seq,
    steps,
    missing: known.missing + 1,
  };
}

/**
 * The whole run as the sidecar knew it some time after the question was asked.
 * @param {Run | undefined} run
 * @param {ExecutionDetail} detail
 * @param {number} missing  the run's `missing` when the question was asked
 * @returns {Run}
 */
export function withDetail(run, detail, missing = 0) {
  const known =
    run ?? newRun({ execution_id: detail.id, workflow_id: detail.workflow_id, timestamp: 0 });
  const hasEnded = detail.status !== "running";
  const steps = new Map(known.steps);
  for (const [id, heard] of Object.entries(detail.steps)) {
    steps.set(id, withStepDetail(steps.get(id) ?? newStep(id), heard, hasEnded));
  }
  return {
    ...known,
    workflowName: detail.workflow_name,
    timestamp: detail.timestamp,
    status: hasEnded ? detail.status : known.status,
    durationMs: hasEnded ? detail.duration_ms : known.durationMs,
    inputs: detail.inputs,
    outputs: detail.outputs ?? known.outputs,
    error: detail.error ?? known.error,
    failedStepId: known.failedStepId ?? (hasEnded ? failedStep(steps) : null),
    steps,
    missing: known.missing === missing ? 0 : known.missing,
  };
}

/**
 * @param {Step} step
 * @param {StepDetail} heard
 * @param {boolean} hasEnded  whether the run has: then this is how it will stay
 * @returns {Step}
 */
function withStepDetail(step, heard, hasEnded) {
  const { label, status, attempts } = heard;
  if (hasEnded) return { ...step, label, status, attempts, nextAttemptAt: null };
  return joined(step, { label, status, attempts });
}

/**
 * @param {ReadonlyMap<string, Step>} steps
 * @returns {string | null}
 */
function failedStep(steps) {
  let failed = null;
  for (const step of steps.values()) if (step.status === "error") failed = step.id;
  return failed;
}
