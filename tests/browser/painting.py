"""How soon a change is on the screen, and whether the page keeps up: measured in the browser.

A change is painted at the first frame after the one that drew it. It began when the daemon took
note of it (the event's `timestamp`); of a step's end, when the script itself wrote its outputs.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from playwright.sync_api import Page

from tests.integration.driver import poll

#: For hundreds of scripts on a busy machine.
_PATIENCE_S = 300.0

#: Writes when it was done, by its own clock.
SCRIPT = "import json, time\nprint(json.dumps({'done_ms': time.time() * 1000}))\n"

#: Notes when each change of a step was told, and when the canvas had painted it. A status that was
#: over before it was painted counts as painted with the next one.
_OBSERVE = """
globalThis.told = new Map();
globalThis.painted = [];
globalThis.sockets = [];
const STATUS = { step_started: "running", step_completed: "success", step_failed: "error" };
const Native = WebSocket;
globalThis.WebSocket = class extends Native {
  constructor(...parameters) {
    super(...parameters);
    sockets.push(this);
    this.addEventListener("message", ({ data }) => {
      const { params } = JSON.parse(data);
      const status = STATUS[params?.event_type];
      if (status === undefined) return;
      const changes = told.get(params.step_id) ?? [];
      changes.push({ status, at: params.timestamp, doneAt: params.data.outputs?.done_ms });
      told.set(params.step_id, changes);
    });
  }
};
new MutationObserver((mutations) => {
  const places = mutations.map(({ target }) => target.closest("[data-step-id]"));
  const ids = new Set(places.map((place) => place?.dataset.stepId));
  requestAnimationFrame(() => {
    const now = Date.now();
    for (const id of ids) {
      const changes = told.get(id) ?? [];
      told.set(id, []);
      for (const { at, doneAt } of changes) {
        painted.push([now - at, doneAt === undefined ? null : now - doneAt]);
      }
    }
  });
}).observe(document, { subtree: true, attributes: true, attributeFilter: ["data-status"] });
"""

#: Tells a run of all the steps, so many events a second, and counts the frames meanwhile.
_TELL = """async ({ stepIds, workflowId, perSecond, count }) => {
  const socket = sockets.at(-1);
  const execution_id = crypto.randomUUID();
  const run = { workflow_id: workflowId, execution_id };
  const tell = (seq, event_type, step_id, data) => {
    const params = { ...run, seq, timestamp: Date.now(), event_type, step_id, data };
    const message = { jsonrpc: "2.0", method: "workflow:execution:event", params };
    socket.dispatchEvent(new MessageEvent("message", { data: JSON.stringify(message) }));
  };
  const frames = [];
  let isOn = true;
  const frame = (now) => { frames.push(now); if (isOn) requestAnimationFrame(frame); };
  requestAnimationFrame(frame);
  if (count === 0) {
    await new Promise((resolve) => setTimeout(resolve, 2000));
  } else {
    const started = { workflow_name: workflowId, inputs: {}, step_ids: stepIds };
    tell(1, "workflow_started", undefined, started);
    const start = performance.now();
    let sent = 0;
    while (sent < count) {
      await new Promise((resolve) => setTimeout(resolve, 4));
      while (sent < count && performance.now() - start >= (sent * 1000) / perSecond) {
        const id = stepIds[(sent >> 1) % stepIds.length];
        const begun = { step_label: id, inputs: {}, attempt: 1 };
        const done = { outputs: {}, execution_time_ms: 10, retry_count: 0 };
        if (sent % 2 === 0) tell(sent + 2, "step_started", id, begun);
        else tell(sent + 2, "step_completed", id, done);
        sent += 1;
      }
    }
  }
  isOn = false;
  return frames.slice(1).map((time, index) => time - frames[index]);
}"""


@dataclass(frozen=True)
class Painted:
    """Milliseconds of each change: since it was told, and since the script itself was done."""

    since_told_ms: list[float]
    since_done_ms: list[float]


def observe(page: Page) -> None:
    """Prepare a page before it is opened."""
    page.add_init_script(_OBSERVE)


def painted(page: Page, steps: int, run: Callable[[], None]) -> Painted:
    """Let a workflow of so many scripts run to its end, and take each of its changes."""
    page.evaluate("globalThis.painted = []")
    run()
    poll(lambda: page.evaluate("painted.length"), lambda count: count >= 2 * steps, _PATIENCE_S)
    pairs: list[Any] = page.evaluate("painted")
    return Painted([pair[0] for pair in pairs], [pair[1] for pair in pairs if pair[1] is not None])


def frames(
    page: Page, workflow_id: str, steps: int, *, per_second: int, seconds: float
) -> list[float]:
    """Milliseconds between frames while the page hears of so many events a second, with no event
    at all for two seconds when `per_second` is 0."""
    given = {
        "stepIds": [f"s{number}" for number in range(steps)],
        "workflowId": workflow_id,
        "perSecond": per_second,
        "count": round(per_second * seconds),
    }
    intervals: list[float] = page.evaluate(_TELL, given)
    return intervals
