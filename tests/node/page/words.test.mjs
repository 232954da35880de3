// Addresses, words, graphs, layouts and estimates.
import assert from "node:assert/strict";
import { test } from "node:test";

import { progressOf, stepDurations } from "../../../renderer-demo/state/estimates.js";
import { graphOf, graphOfRun } from "../../../renderer-demo/state/graph.js";
import { NODE_HEIGHT, NODE_WIDTH, layOut, neighbour } from "../../../renderer-demo/state/layout.js";
import { hashOf, placeOf } from "../../../renderer-demo/state/places.js";
import { withDetail, withEvent } from "../../../renderer-demo/state/run.js";
import * as words from "../../../renderer-demo/state/words.js";
import { STREAMS } from "./streams.mjs";

const step = (id, more = {}) => ({ id, type: "python", script: "a.py", inputs: {}, env: {}, depends_on: [], timeout: 1, ...more });
const workflow = (steps, more = {}) => ({ workflow: { name: "w", tags: [] }, inputs: [], steps, ...more });
const chain = (count) =>
  graphOf(workflow(Array.from({ length: count }, (_, n) => step(`s${n}`, { depends_on: n === 0 ? [] : [`s${n - 1}`] }))));
const WIDE = { width: 1000, height: 600 };

test("an address names a workflow or a file, and a run, whatever their names hold", () => {
  for (const name of ["report", "a/b c", "__proto__", "%2F#?", "日本"]) {
    for (const runId of [null, "6f1b", "a/b"]) {
      const byId = { workflowId: name, path: null, runId };
      const byPath = { workflowId: null, path: name, runId };
      assert.deepEqual(placeOf(hashOf(byId)), byId);
      assert.deepEqual(placeOf(hashOf(byPath)), byPath);
    }
  }
  assert.equal(hashOf({ workflowId: "report", runId: "6f1b" }), "#/workflow/report/run/6f1b");
});

test("an address that makes no sense is no place", () => {
  for (const hash of ["", "#", "#/", "#/workflow", "#/workflow/%E0%A4", "#/runs/x", "#/workflow/a/run", "javascript:"]) {
    assert.deepEqual(placeOf(hash), { workflowId: null, path: null, runId: null }, hash);
  }
});

test("durations read as people say them", () => {
  const cases = [[0, "0 ms"], [132.4, "132 ms"], [999, "999 ms"], [1000, "1.0 s"], [59_949, "59.9 s"], [60_000, "1 min 00 s"], [3_599_999, "1 h 00 min"], [-5, "0 ms"]];
  for (const [ms, text] of cases) assert.equal(words.duration(ms), text);
});

test("attempts tell how many of how many, and when the next one is", () => {
  const policy = { max_attempts: 3, initial_delay_ms: 1000, backoff_multiplier: 2, max_delay_ms: 30_000 };
  const failed = (attempt) => ({ attempt, timestamp: 10_000, duration_ms: 200, inputs: {}, error: "no" });
  const waiting = { id: "a", label: null, status: "error", attempts: [failed(1), failed(2)], nextAttemptAt: null };
  const run = { status: "running" };
  const next = words.nextAttemptAt(run, waiting, policy);
  assert.equal(next, 10_200 + 2000);
  assert.equal(words.attemptsText(waiting, policy, next, 10_400), "2 of 3, next in 1.8 s");
  assert.equal(words.nextAttemptAt({ status: "failed" }, waiting, policy), null);
  assert.equal(words.attemptsText({ ...waiting, attempts: [failed(1)] }, null, null, 0), null);
  assert.equal(words.attemptsText({ ...waiting, attempts: [failed(1)] }, null, next, 10_400), "attempt 1, next in 1.8 s");
  const succeeded = { ...waiting, status: "success" };
  assert.equal(words.attemptsText(succeeded, policy, null, 0), "2 of 3");
});

test("what would be invisible or turn text around is made visible", () => {
  assert.equal(words.visible("\x1b[31mred\x07\x00\u202egnp.exe\r\nnext\ttab"), "␛[31mred␇␀<U+202E>gnp.exe\nnext\ttab");
});

test("edges come from depends_on and from references in inputs, environment and messages", () => {
  const graph = graphOf(
    workflow([
      step("a"),
      step("b", { inputs: { deep: [{ x: "n ${steps.a.outputs.n} $${steps.c.outputs.no}" }] } }),
      step("c", { env: { TOKEN: "${steps.a.outputs.t}" }, depends_on: ["b"] }),
      { id: "d", type: "output", message: "${steps.c.outputs} ${workflow.inputs.x}", format: "text", depends_on: [] },
    ]),
  );
  assert.deepEqual(graph.edges.map(({ from, to }) => `${from}>${to}`).sort(), ["a>b", "a>c", "b>c", "c>d"]);
});

test("a past run shows its own steps, whatever the file says today", () => {
  const { final } = STREAMS.get("success");
  const run = withDetail(undefined, final);
  const changed = graphOf(workflow([step("count"), step("new", { depends_on: ["count"] })]));
  const { graph, differs } = graphOfRun(changed, run);
  assert.equal(differs, true);
  assert.deepEqual(graph.steps.map(({ id }) => id), ["count", "tell"]);
  assert.deepEqual(graph.edges, []);
  const without = graphOfRun(null, run);
  assert.deepEqual(without.graph.edges, [{ from: "count", to: "tell" }]);
});

function overlaps(boxes) {
  const all = [...boxes.values()];
  return all.some((one, index) =>
    all.slice(index + 1).some(
      (other) => one.x < other.x + other.width && other.x < one.x + one.width && one.y < other.y + other.height && other.y < one.y + one.height,
    ),
  );
}

test("no two nodes overlap, every node has a place, and edges point forward", () => {
  const diamond = graphOf(workflow([step("a"), step("b", { depends_on: ["a"] }), step("c", { depends_on: ["a"] }), step("d", { depends_on: ["b", "c"] })]));
  for (const graph of [diamond, chain(5), chain(200), chain(1000), graphOf(workflow([step("__proto__"), step("constructor", { depends_on: ["__proto__"] })]))]) {
    for (const view of [WIDE, { width: 340, height: 600 }]) {
      const { boxes, edges, width, height } = layOut(graph, view, null);
      assert.equal(boxes.size, graph.steps.length);
      assert.equal(edges.length, graph.edges.length);
      if (graph.steps.length <= 200) assert.equal(overlaps(boxes), false);
      for (const box of boxes.values()) {
        assert.ok(box.x >= 0 && box.y >= 0 && box.x + box.width <= width && box.y + box.height <= height);
      }
    }
  }
});

test("a long chain is broken into rows that have about the window's shape", () => {
  const { width, height, boxes } = layOut(chain(200), WIDE, null);
  assert.ok(width / height > 0.5 && width / height < 4, `${width} x ${height}`);
  assert.ok(new Set([...boxes.values()].map((box) => box.y)).size > 5);
});

test("positions of the file hold when each step has one, and not in a narrow window", () => {
  const graph = graphOf(workflow([step("a"), step("b")]));
  const nodes = [{ id: "a", position: { x: 60, y: 40 } }, { id: "b", position: { x: 460, y: 240 } }];
  const placed = layOut(graph, WIDE, { nodes });
  const [a, b] = [placed.boxes.get("a"), placed.boxes.get("b")];
  assert.deepEqual([b.x - a.x, b.y - a.y, a.width, a.height], [400, 200, NODE_WIDTH, NODE_HEIGHT]);
  assert.notEqual(layOut(graph, WIDE, { nodes: nodes.slice(1) }).boxes.get("b").x, b.x);
  assert.equal(layOut(graph, { width: 340, height: 600 }, { nodes }).direction, "down");
});

test("arrow keys go to the nearest node in their direction, and nowhere beyond the last", () => {
  const graph = graphOf(workflow([step("a"), step("b", { depends_on: ["a"] }), step("c", { depends_on: ["a"] })]));
  const { boxes } = layOut(graph, WIDE, null);
  const [upper, lower] = boxes.get("b").y < boxes.get("c").y ? ["b", "c"] : ["c", "b"];
  assert.ok(["b", "c"].includes(neighbour(boxes, "a", "right")));
  assert.equal(neighbour(boxes, upper, "down"), lower);
  assert.equal(neighbour(boxes, lower, "up"), upper);
  assert.equal(neighbour(boxes, "b", "left"), "a");
  assert.equal(neighbour(boxes, "a", "left"), null);
});

test("progress counts steps until an earlier run tells how long each takes", () => {
  const { moments, final } = STREAMS.get("success");
  let run;
  for (const { event } of moments.filter(({ event }) => event.seq <= 3)) run = withEvent(run, event);
  const bare = progressOf(run, new Map(), 0);
  assert.deepEqual([bare.done, bare.total, bare.fraction, bare.remainingMs], [1, 2, 0.5, null]);
  const known = progressOf(run, new Map([["count", 300], ["tell", 100]]), 0);
  assert.deepEqual([known.fraction, known.remainingMs], [0.75, 100]);
  assert.equal(stepDurations([final]).size, 2);
  const ended = withDetail(run, final, run.missing);
  assert.equal(progressOf(ended, new Map([["count", 300]]), 0).fraction, 1);
});

test("a step that takes longer than ever leaves the run not quite there", () => {
  const { moments } = STREAMS.get("success");
  const run = withEvent(withEvent(undefined, moments[0].event), moments[1].event);
  const late = run.steps.get("count").attempts[0].timestamp + 10_000;
  const { fraction, remainingMs } = progressOf(run, new Map([["count", 300], ["tell", 0]]), late);
  assert.deepEqual([fraction, remainingMs], [0.99, 0]);
});
