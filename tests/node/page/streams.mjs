// The recorded streams, and what of a run is compared.
import { readFileSync, readdirSync } from "node:fs";

const FOLDER = new URL("./streams/", import.meta.url);

/** By name: the moments of a run, each with its event, snapshot and detail, and its final detail. */
export const STREAMS = new Map(
  readdirSync(FOLDER)
    .sort()
    .map((file) => [file.replace(".json", ""), JSON.parse(readFileSync(new URL(file, FOLDER), "utf8"))]),
);

/** Statuses alone, by step id. */
export function statusesOf(run) {
  return [...run.steps.values()].map(({ id, status }) => [id, status]).sort();
}

/**
 * What a reader of the page sees of a run, but for two things that an event cannot tell to the
 * millisecond: when an attempt began and how long it took.
 */
export function seen(run) {
  const steps = [...run.steps.values()].map(({ id, status, attempts }) => ({
    id,
    status,
    attempts: attempts.map(({ timestamp: _, duration_ms, stderr: __, ...rest }) => ({
      ...rest,
      hasEnded: duration_ms !== undefined,
    })),
  }));
  steps.sort((one, other) => (one.id < other.id ? -1 : 1));
  const { status, inputs, outputs, error, failedStepId } = run;
  return { status, inputs, outputs, error, failedStepId, steps };
}
