// The form of a workflow's inputs: what its fields hold at first, and what they mean when read.
// The sidecar has the last word; what can be told at once is told at once.

/** @import { JsonObject, JsonValue, WorkflowInput } from "../../protocol/generated/protocol.js" */
/** @import { Run } from "./run.js" */

/** What fields hold, by input id; text, or whether a box is checked. Absent: not touched.
 * @typedef {ReadonlyMap<string, string | boolean>} Fields */

/** A form as it stands: `errors` by input id, `general` are those of no field.
 * @typedef {{fields: Fields, errors: ReadonlyMap<string, string>, general: readonly string[]}} Form */

/** @type {Form} */
export const EMPTY_FORM = { fields: new Map(), errors: new Map(), general: [] };

const REDACTED = "[REDACTED]";

/**
 * @param {WorkflowInput} input
 * @param {Fields} fields
 * @returns {string | boolean} what the field shows
 */
export function fieldValue(input, fields) {
  const typed = fields.get(input.id);
  if (typed !== undefined) return typed;
  if (input.type === "boolean") return input.default === true;
  return input.default === undefined || input.default === null ? "" : String(input.default);
}

/**
 * @param {readonly WorkflowInput[]} inputs
 * @param {Fields} fields
 * @returns {{values: JsonObject, errors: ReadonlyMap<string, string>}}
 */
export function readFields(inputs, fields) {
  /** @type {[string, JsonValue][]} */
  const values = [];
  /** @type {Map<string, string>} */
  const errors = new Map();
  for (const input of inputs) {
    const shown = fieldValue(input, fields);
    if (typeof shown === "boolean") {
      // A box that is not checked says no.
      values.push([input.id, shown]);
      continue;
    }
    if (shown === "" && input.required) errors.set(input.id, "A value is needed.");
    // A field that nobody touched is left to the workflow's own default, or out.
    if (shown === "" || !fields.has(input.id)) continue;
    const value = input.type === "number" ? Number(shown) : shown;
    const problem = problemOf(input, value);
    if (problem === null) values.push([input.id, value]);
    else errors.set(input.id, problem);
  }
  // By way of entries: an input may be called `__proto__`.
  return { values: Object.fromEntries(values), errors };
}

/**
 * @param {WorkflowInput} input
 * @param {string | number} value
 * @returns {string | null}
 */
function problemOf(input, value) {
  const { min, max } = input;
  if (typeof value === "number") {
    if (!Number.isFinite(value)) return "This is not a number.";
    if (min !== undefined && value < min) return `At least ${min}.`;
    return max !== undefined && value > max ? `At most ${max}.` : null;
  }
  if (input.type !== "string") return null;
  const length = [...value].length;
  if (min !== undefined && length < min) return `At least ${min} characters.`;
  if (max !== undefined && length > max) return `At most ${max} characters.`;
  return matches(input.pattern, value) ? null : `This does not match the pattern ${input.pattern}`;
}

/**
 * @param {string | undefined} pattern  RE2 syntax
 * @param {string} value
 */
function matches(pattern, value) {
  if (pattern === undefined) return true;
  try {
    return new RegExp(pattern, "u").test(value);
  } catch {
    return true; // RE2 knows forms that JavaScript does not; the sidecar will tell
  }
}

/**
 * The fields that would start a run again. What a past run shows may be redacted or cut: such
 * inputs are `unknown` and must be typed again, unless the run was started here.
 * @param {readonly WorkflowInput[]} inputs
 * @param {Run} run
 * @param {JsonObject | undefined} own  as they were typed here
 * @returns {{fields: Fields, unknown: readonly string[]}}
 */
export function fieldsOfRun(inputs, run, own) {
  const values = new Map(Object.entries(own ?? run.inputs));
  /** @type {Map<string, string | boolean>} */
  const fields = new Map();
  const unknown = [];
  for (const { id, type } of inputs) {
    const value = values.get(id);
    if (value === undefined || value === null) continue;
    const isCut = typeof value === "object" || (own === undefined && String(value).includes(REDACTED));
    if (isCut) {
      unknown.push(id);
      fields.set(id, "");
    } else {
      fields.set(id, type === "boolean" ? value === true : String(value));
    }
  }
  return { fields, unknown };
}
