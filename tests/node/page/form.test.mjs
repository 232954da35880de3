// What the fields of the form mean, and how long a page waits before it tries again.
import assert from "node:assert/strict";
import { test } from "node:test";

import { fieldsOfRun, readFields } from "../../../renderer-demo/state/form.js";
import { retryDelayMs } from "../../../renderer-demo/transport-websocket.js";

const input = (id, type, more = {}) => ({ id, type, required: false, secret: false, ...more });
const fields = (values) => new Map(Object.entries(values));

test("what nobody touched is left to the workflow, and a box that is not checked says no", () => {
  const inputs = [input("a", "string", { default: "x" }), input("b", "number"), input("c", "boolean")];
  assert.deepEqual(readFields(inputs, new Map()), { values: { c: false }, errors: new Map() });
});

test("numbers become numbers, and what is none is told", () => {
  const inputs = [input("n", "number", { min: 1, max: 9 })];
  assert.deepEqual(readFields(inputs, fields({ n: "1e0" })).values, { n: 1 });
  for (const text of ["many", "0", "10", "1,5", "Infinity"]) {
    assert.equal(readFields(inputs, fields({ n: text })).errors.size, 1, text);
  }
});

test("a pattern that only the sidecar understands is left to it", () => {
  const inputs = [input("t", "string", { pattern: "(?P<x>a)" })];
  assert.equal(readFields(inputs, fields({ t: "b" })).errors.size, 0);
  assert.equal(readFields([input("t", "string", { pattern: "^a" })], fields({ t: "b" })).errors.size, 1);
});

test("a length counts characters, not halves of them", () => {
  assert.equal(readFields([input("t", "string", { max: 2 })], fields({ t: "😀😀" })).errors.size, 0);
});

test("an input may have the name of anything", () => {
  const { values } = readFields([input("__proto__", "string")], new Map([["__proto__", "x"]]));
  assert.deepEqual(Object.entries(values), [["__proto__", "x"]]);
  assert.equal({}.x, undefined);
});

test("what a record hides or cuts must be typed again, unless it was typed here", () => {
  const inputs = [input("who", "string"), input("key", "string"), input("loud", "boolean"), input("big", "string")];
  const run = { inputs: { who: "Ada", key: "[REDACTED]", loud: true, big: { $truncated: true, bytes: 9, preview: "x" } } };
  const again = fieldsOfRun(inputs, run, undefined);
  assert.deepEqual(again.unknown, ["key", "big"]);
  assert.deepEqual(Object.fromEntries(again.fields), { who: "Ada", key: "", loud: true, big: "" });
  assert.deepEqual(fieldsOfRun(inputs, run, { key: "real" }).unknown, []);
});

test("each try waits twice as long as the one before, at most ten seconds, never all at once", () => {
  const middle = [1, 2, 3, 4, 5, 6, 7, 20].map((attempt) => retryDelayMs(attempt, () => 0.5));
  assert.deepEqual(middle, [250, 500, 1000, 2000, 4000, 8000, 10_000, 10_000]);
  assert.deepEqual([retryDelayMs(3, () => 0), retryDelayMs(3, () => 1)], [900, 1100]);
});
