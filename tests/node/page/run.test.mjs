// One run from all that may be heard of it, in every order that a reconnect can produce.
import assert from "node:assert/strict";
import { describe, test } from "node:test";

import { withDetail, withEvent, withSnapshot } from "../../../renderer-demo/state/run.js";
import { STREAMS, seen, statusesOf } from "./streams.mjs";

const events = (moments) => moments.map((moment) => moment.event);
const watched = (moments, run) => events(moments).reduce(withEvent, run);

for (const [name, { moments, final }] of STREAMS) {
  const last = moments.length - 1;
  const complete = withDetail(undefined, final);
  // One without an answer of that instant is none that can be joined at.
  const joinable = moments.flatMap((moment, index) => (moment.snapshot && moment.detail ? [index] : []));

  describe(`the stream "${name}"`, () => {
    test("watching it from the start shows at each moment what asking would tell", () => {
      let run;
      for (const [index, { event, detail, snapshot }] of moments.entries()) {
        run = withEvent(run, event);
        if (detail === null || index === last) continue;
        assert.deepEqual(statusesOf(run), Object.entries(snapshot.steps).sort());
        assert.deepEqual(seen(run).steps, seen(withDetail(undefined, detail)).steps);
        assert.equal(run.missing, 0);
      }
      assert.deepEqual(seen(run), seen(complete));
    });

    test("whoever joins late sees the same as one who watched, wherever the answer comes in", () => {
      for (const joined of joinable) {
        for (const asked of joinable.filter((index) => index >= joined)) {
          for (let answered = joined; answered <= last; answered += 1) {
            let run = withSnapshot(undefined, moments[joined].snapshot);
            const { missing } = run;
            assert.ok(missing > 0);
            for (let index = joined; index <= last; index += 1) {
              if (index > joined) run = withEvent(run, moments[index].event);
              if (index === answered) run = withDetail(run, moments[asked].detail, missing);
              // In the order of one connection, an answer never runs ahead of the events.
              if (index >= answered && asked <= answered && index < last) {
                const whole = watched(moments.slice(0, index + 1));
                assert.deepEqual(seen(run).steps, seen(whole).steps, `${joined} ${asked} ${answered} ${index}`);
                assert.equal(run.missing, 0);
              }
            }
            assert.deepEqual(seen(run), seen({ ...complete, inputs: run.inputs }));
            assert.deepEqual(seen(withDetail(run, final, run.missing)), seen(complete));
          }
        }
      }
    });

    test("a connection lost at any moment and back at any later one leaves no trace", () => {
      for (let lost = 0; lost < last; lost += 1) {
        for (const back of joinable.filter((index) => index > lost)) {
          for (const answered of [back, Math.min(back + 1, last), last]) {
            let run = watched(moments.slice(0, lost + 1));
            run = withSnapshot(run, moments[back].snapshot);
            const { missing } = run;
            for (let index = back; index <= last; index += 1) {
              if (index > back) run = withEvent(run, moments[index].event);
              if (index === answered) run = withDetail(run, moments[back].detail, missing);
            }
            assert.deepEqual(seen(run), seen(complete), `${lost} ${back} ${answered}`);
          }
        }
      }
    });

    test("a run that ended while nobody told us is healed by its record", () => {
      for (let lost = 0; lost <= last; lost += 1) {
        const run = watched(moments.slice(0, lost + 1));
        assert.deepEqual(seen(withDetail(run, final, run.missing)), seen(complete));
        assert.equal(withDetail(run, final, run.missing).missing, 0);
      }
    });

    test("events heard twice, or again from the start, change nothing", () => {
      const twice = moments.flatMap((moment) => [moment, moment]);
      // What is written has no number of its own, and never comes twice on one connection.
      const numbered = twice.filter(({ event }) => event.event_type !== "step_output");
      const again = [...moments, ...moments];
      assert.deepEqual(seen(watched(numbered)), seen(complete));
      assert.deepEqual(watched(again), watched(moments));
    });

    test("an event that is missing is noticed, and the answer to an older question does not hide it", () => {
      const counted = moments.filter(({ event }) => !["step_output", "step_skipped"].includes(event.event_type));
      for (let dropped = 0; dropped < counted.length - 1; dropped += 1) {
        let run = watched(counted.slice(0, dropped));
        const before = run?.missing ?? 0;
        run = watched(counted.slice(dropped + 1, dropped + 2), run);
        assert.ok(run.missing > before, `without ${dropped}`);
        const stale = counted[dropped].detail ?? final;
        if (run.status === "running") assert.ok(withDetail(run, stale, before).missing > 0);
        assert.deepEqual(seen(withDetail(run, final, run.missing)), seen(complete));
      }
    });

    test("what the scripts wrote is whole for who watched, and for all once it has ended", () => {
      const run = watched(moments);
      for (const step of run.steps.values()) {
        for (const attempt of step.attempts) {
          const kept = complete.steps.get(step.id).attempts[attempt.attempt - 1].stderr;
          assert.equal((attempt.stderr ?? "").trimEnd(), (kept ?? "").trimEnd());
        }
      }
    });

    test("nothing that is heard changes a run that was there", () => {
      let run;
      const unchanged = (change) => {
        const before = structuredClone(run);
        const next = change(run);
        assert.deepEqual(run, before);
        run = next;
      };
      for (const { event, snapshot, detail } of moments) {
        unchanged((known) => withEvent(known, event));
        if (snapshot !== null) unchanged((known) => withSnapshot(known, snapshot));
        if (detail !== null) unchanged((known) => withDetail(known, detail, known.missing));
      }
      assert.deepEqual(seen(run), seen(complete));
    });
  });
}

test("a step waits for its next attempt until it starts, or the run ends", () => {
  const { moments } = STREAMS.get("retried");
  let run;
  const waits = [];
  for (const { event } of moments) {
    run = withEvent(run, event);
    const at = run.steps.get("flaky")?.nextAttemptAt;
    if (event.event_type === "step_failed") waits.push(at - event.timestamp);
    else if (event.event_type === "step_started") assert.equal(at, null);
  }
  assert.deepEqual(waits, [20, 40]);
});

test("a script that writes without end is kept by its newest part", () => {
  const { moments } = STREAMS.get("cancelled");
  const running = moments.findIndex(({ event }) => event.step_id === "hang" && event.event_type === "step_output");
  let run = watched(moments.slice(0, running + 1));
  for (let line = 0; line < 3000; line += 1) {
    const text = `${line} ${"x".repeat(60)}`;
    run = withEvent(run, { ...moments[running].event, data: { stream: "stderr", text } });
  }
  const { stderr } = run.steps.get("hang").attempts[0];
  assert.ok(stderr.length <= 65_536);
  assert.ok(stderr.endsWith(`2999 ${"x".repeat(60)}\n`));
});

test("an event of a kind that is not known yet is passed over", () => {
  const { moments } = STREAMS.get("success");
  const run = watched(moments.slice(0, 2));
  const strange = { ...moments[1].event, event_type: "step_paused", seq: run.seq + 1, data: {} };
  const next = withEvent(run, strange);
  assert.deepEqual(statusesOf(next), statusesOf(run));
  assert.equal(next.missing, 0);
});
