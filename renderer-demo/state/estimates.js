// How far a run is and how long it will still take, from how long earlier ones took.

/** @import { ExecutionDetail } from "../../protocol/generated/protocol.js" */
/** @import { Run, Step } from "./run.js" */

/** @typedef {ReadonlyMap<string, number>} StepDurations  milliseconds, pauses included, by step id */

/**
 * @param {Pick<Step, "attempts">} step
 * @param {number} now  epoch milliseconds, for a step that runs
 * @returns {number}  milliseconds from the first attempt's start, pauses included
 */
export function elapsedMs(step, now) {
  const [first] = step.attempts;
  const last = step.attempts.at(-1);
  if (first === undefined || last === undefined) return 0;
  const end = last.duration_ms === undefined ? now : last.timestamp + last.duration_ms;
  return Math.max(0, end - first.timestamp);
}

/**
 * @param {number[]} values  at least one
 * @returns {number}
 */
function median(values) {
  const sorted = [...values].sort((one, other) => one - other);
  const middle = sorted.length / 2;
  const low = sorted[Math.ceil(middle) - 1] ?? 0;
  return (low + (sorted[Math.floor(middle)] ?? low)) / 2;
}

/**
 * @param {readonly ExecutionDetail[]} earlier  runs of the workflow
 * @returns {StepDurations}  of the steps that succeeded in any
 */
export function stepDurations(earlier) {
  /** @type {Map<string, number[]>} */
  const all = new Map();
  for (const run of earlier) {
    for (const [id, step] of Object.entries(run.steps)) {
      if (step.status !== "success") continue;
      all.set(id, [...(all.get(id) ?? []), elapsedMs(step, 0)]);
    }
  }
  return new Map([...all].map(([id, values]) => [id, median(values)]));
}

/**
 * `fraction` is from 0 to 1; `remainingMs` is null when no earlier run tells.
 * @typedef {{done: number, total: number, fraction: number, remainingMs: number | null}} Progress
 */

/**
 * @param {Run} run
 * @param {StepDurations} durations
 * @param {number} now  epoch milliseconds
 * @returns {Progress}
 */
export function progressOf(run, durations, now) {
  const steps = [...run.steps.values()];
  const done = steps.filter((step) => step.status === "success").length;
  const total = steps.length;
  if (run.status === "success") return { done, total, fraction: 1, remainingMs: 0 };
  const known = steps.flatMap((step) => durations.get(step.id) ?? []);
  if (known.length === 0) {
    return { done, total, fraction: total === 0 ? 0 : done / total, remainingMs: null };
  }
  // A step that no earlier run had counts as an average one.
  const average = known.reduce((sum, value) => sum + value, 0) / known.length;
  let [all, remaining] = [0, 0];
  for (const step of steps) {
    const expected = durations.get(step.id) ?? average;
    all += expected;
    if (step.status === "success" || step.status === "skipped") continue;
    remaining += Math.max(0, expected - elapsedMs(step, now));
  }
  // What takes longer than ever is never quite there.
  const fraction = all === 0 ? done / total : Math.min(1 - remaining / all, 0.99);
  return { done, total, fraction, remainingMs: run.status === "running" ? remaining : null };
}
