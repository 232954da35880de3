// Where the camera goes.

import assert from "node:assert/strict";
import { test } from "node:test";

import { atStart, isNear, lookingAt, onAll, revealing, zoomed } from "../../../renderer-demo/state/camera.js";

const VIEW = { width: 1000, height: 500 };
const HOME = { x: 0, y: 0, zoom: 1 };

/** Where a point of the world is on the screen. */
const onScreen = (camera, { x, y }) => ({ x: camera.x + x * camera.zoom, y: camera.y + y * camera.zoom });

test("a world that can be read whole is shown whole, centred, and not larger than life", () => {
  assert.deepEqual(atStart(VIEW, { width: 100, height: 100 }), {
    camera: { zoom: 1.1, x: 445, y: 195 },
    isWhole: true,
  });
  const { camera } = atStart(VIEW, { width: 1600, height: 100 });
  assert.equal(camera.zoom, 0.625);
  assert.equal(camera.x, 0);
});

test("a world too large to be read is begun at its beginning, and shown whole when asked for", () => {
  const world = { width: 4000, height: 100 };
  assert.deepEqual(atStart(VIEW, world), { camera: { zoom: 0.75, x: 0, y: 212.5 }, isWhole: false });
  assert.deepEqual(onAll(VIEW, world), { zoom: 0.25, x: 0, y: 237.5 });
  assert.equal(onAll(VIEW, { width: 1_000_000, height: 1 }).zoom, 0.1);
});

test("what is pointed at stays where it is while all else grows or shrinks, within bounds", () => {
  const point = { x: 300, y: 200 };
  const camera = { x: 50, y: 20, zoom: 0.8 };
  for (const factor of [1.25, 0.5, 100, 0.001]) {
    const after = zoomed(camera, factor, point);
    assert.ok(after.zoom >= 0.1 && after.zoom <= 2);
    const world = { x: (point.x - camera.x) / camera.zoom, y: (point.y - camera.y) / camera.zoom };
    const { x, y } = onScreen(after, world);
    assert.ok(Math.abs(x - point.x) < 1e-9 && Math.abs(y - point.y) < 1e-9);
  }
});

test("a box comes into sight by the shortest way, and one in sight moves nothing", () => {
  const box = { x: 100, y: 100, width: 200, height: 80 };
  assert.deepEqual(revealing(HOME, VIEW, box), HOME);
  assert.deepEqual(revealing(HOME, VIEW, { ...box, x: 1500 }), { x: 988 - 1700, y: 0, zoom: 1 });
  assert.deepEqual(revealing({ ...HOME, x: -700 }, VIEW, box), { x: 12 - 100, y: 0, zoom: 1 });
  // One that is larger than the window begins at its edge.
  assert.equal(revealing(HOME, VIEW, { ...box, x: -50, width: 3000 }).x, 50);
});

test("the camera looks at the point that was asked for", () => {
  const camera = lookingAt({ ...HOME, zoom: 0.5 }, VIEW, { x: 700, y: 300 });
  assert.deepEqual(onScreen(camera, { x: 700, y: 300 }), { x: 500, y: 250 });
});

test("a box counts as near before it is seen, and not when it is far", () => {
  const box = { x: 1300, y: 0, width: 200, height: 80 };
  assert.equal(isNear(HOME, VIEW, box), true);
  assert.equal(isNear(HOME, VIEW, { ...box, x: 1400 }), false);
  assert.equal(isNear({ ...HOME, zoom: 0.5 }, VIEW, { ...box, x: 2700 }), true);
  assert.equal(isNear(HOME, VIEW, { ...box, x: -650 }), false);
});
