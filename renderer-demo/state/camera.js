// Which part of the world is on the screen, and how large: movements of a camera as pure functions.
// It knows rectangles; what stands in them, and who moves the camera, it does not.

/** @import { Box } from "./layout.js" */

/** @typedef {{width: number, height: number}} Size  pixels: of the window on the world, or of the world */
/** @typedef {{x: number, y: number, zoom: number}} Camera  pixels; the world's origin on screen */

const MIN_ZOOM = 0.1;
const MAX_ZOOM = 2;
/** Nothing is fitted larger than this. */
const MAX_FITTED = 1.1;
/** Text is legible from here on: nothing is fitted smaller unless asked for. */
const LEGIBLE_ZOOM = 0.52;
/** What does not fit so is begun at this size. */
const START_ZOOM = 0.75;
/** Boxes so near to the window count as seen. */
const NEAR = 400;

/**
 * @param {Size} view
 * @param {Size} world
 */
function fittingZoom(view, world) {
  return Math.min(view.width / world.width, view.height / world.height, MAX_FITTED);
}

/**
 * @param {Size} view
 * @param {Size} world
 * @param {number} zoom
 * @returns {Camera}
 */
function centred(view, world, zoom) {
  return { zoom, x: (view.width - world.width * zoom) / 2, y: (view.height - world.height * zoom) / 2 };
}

/**
 * All of the world, however small.
 * @param {Size} view
 * @param {Size} world
 * @returns {Camera}
 */
export function onAll(view, world) {
  return centred(view, world, Math.max(fittingZoom(view, world), MIN_ZOOM));
}

/**
 * All of the world where it can be read so; else its beginning, centred in the direction in which
 * it fits.
 * @param {Size} view
 * @param {Size} world
 * @returns {{camera: Camera, isWhole: boolean}}
 */
export function atStart(view, world) {
  const zoom = fittingZoom(view, world);
  if (zoom >= LEGIBLE_ZOOM) return { camera: centred(view, world, zoom), isWhole: true };
  const { x, y } = centred(view, world, START_ZOOM);
  return { camera: { zoom: START_ZOOM, x: Math.max(0, x), y: Math.max(0, y) }, isWhole: false };
}

/**
 * @param {Camera} camera
 * @param {number} factor
 * @param {{x: number, y: number}} point  what stays where it is
 * @returns {Camera}
 */
export function zoomed(camera, factor, point) {
  const zoom = Math.min(Math.max(camera.zoom * factor, MIN_ZOOM), MAX_ZOOM);
  const scale = zoom / camera.zoom;
  return { x: point.x - (point.x - camera.x) * scale, y: point.y - (point.y - camera.y) * scale, zoom };
}

/**
 * With a box in sight, by the shortest way.
 * @param {Camera} camera
 * @param {Size} view
 * @param {Box} box
 * @returns {Camera}
 */
export function revealing({ x, y, zoom }, view, box) {
  return {
    x: inSight(x, box.x * zoom, box.width * zoom, view.width),
    y: inSight(y, box.y * zoom, box.height * zoom, view.height),
    zoom,
  };
}

/**
 * Where the world must begin so that a stretch of it is in sight, moved as little as may be.
 * @param {number} origin
 * @param {number} start
 * @param {number} length
 * @param {number} available
 */
function inSight(origin, start, length, available) {
  const margin = Math.min(12, Math.max(0, (available - length) / 2));
  const [first, last] = [origin + start, origin + start + length];
  if (first < margin) return margin - start;
  return last > available - margin ? available - margin - start - length : origin;
}

/**
 * Centred on a point of the world.
 * @param {Camera} camera
 * @param {Size} view
 * @param {{x: number, y: number}} point
 * @returns {Camera}
 */
export function lookingAt({ zoom }, view, point) {
  return { x: view.width / 2 - point.x * zoom, y: view.height / 2 - point.y * zoom, zoom };
}

/**
 * Whether some of a box can be seen, or nearly.
 * @param {Camera} camera
 * @param {Size} view
 * @param {Box} box
 */
export function isNear(camera, view, { x, y, width, height }) {
  const left = camera.x + x * camera.zoom;
  const top = camera.y + y * camera.zoom;
  return (
    left + width * camera.zoom > -NEAR &&
    left < view.width + NEAR &&
    top + height * camera.zoom > -NEAR &&
    top < view.height + NEAR
  );
}
