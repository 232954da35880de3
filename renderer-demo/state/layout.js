// Where the nodes stand, in pixels at zoom 1; `edges.js` draws what runs between them. Pure: the same
// graph in the same shape of window is always laid out the same.
//
// Positions of the workflow file hold when each step has one. Else the layers are dagre's, and
// where they would make a ribbon too long to look at, they are broken into rows like text.

import { Graph as DagreGraph, layout as dagreLayout } from "../vendor/dagre.js";
import { GAP_ALONG, GAP_ROWS, drawnEdges } from "./edges.js";

/** @import { UiMetadata } from "../../protocol/generated/protocol.js" */
/** @import { DrawnEdge } from "./edges.js" */
/** @import { Graph } from "./graph.js" */

/** @typedef {{x: number, y: number, width: number, height: number}} Box */
/**
 * `direction`: where edges point.
 * @typedef {object} Layout
 * @property {ReadonlyMap<string, Box>} boxes
 * @property {readonly DrawnEdge[]} edges
 * @property {number} width
 * @property {number} height
 * @property {"right" | "down"} direction
 */

export const NODE_WIDTH = 220;
export const NODE_HEIGHT = 88;
const GAP_ACROSS = 28;
const MARGIN = 32;
/** Narrower windows have room for one node beside another at most. */
const NARROW = 560;
/** Beyond this many steps dagre takes longer than people wait; layers alone still tell the order. */
const MAX_DAGRE_STEPS = 400;

/**
 * @param {Graph} graph
 * @param {{width: number, height: number}} view  the window on it, in pixels
 * @param {UiMetadata | null} metadata
 * @returns {Layout}
 */
export function layOut(graph, view, metadata) {
  const direction = view.width < NARROW ? "down" : "right";
  // Positions were chosen for a screen; a narrow window would show them too small to read.
  const placed = direction === "right" ? placedBoxes(graph, metadata) : null;
  const boxes = placed ?? rows(thin(layers(graph, direction), view), direction, view);
  const moved = atOrigin(boxes);
  let width = 0;
  let height = 0;
  for (const box of moved.values()) {
    width = Math.max(width, box.x + box.width + MARGIN);
    height = Math.max(height, box.y + box.height + MARGIN);
  }
  return { boxes: moved, edges: drawnEdges(graph.edges, moved, direction), width, height, direction };
}

/**
 * @param {Graph} graph
 * @param {UiMetadata | null} metadata
 * @returns {Map<string, Box> | null}  null unless every step has a position
 */
function placedBoxes(graph, metadata) {
  const places = new Map(metadata?.nodes.map((node) => [node.id, node]));
  /** @type {Map<string, Box>} */
  const boxes = new Map();
  for (const step of graph.steps) {
    const place = places.get(step.id);
    if (place === undefined) return null;
    boxes.set(step.id, {
      ...place.position,
      width: Math.max(place.width ?? NODE_WIDTH, NODE_WIDTH),
      height: Math.max(place.height ?? NODE_HEIGHT, NODE_HEIGHT),
    });
  }
  return boxes;
}

/** @typedef {{id: string, across: number}[][]} Layers  `across`: the node's middle, from 0 */

/**
 * @param {Graph} graph
 * @param {"right" | "down"} direction
 * @returns {Layers}
 */
function layers(graph, direction) {
  return graph.steps.length > MAX_DAGRE_STEPS ? plainLayers(graph) : dagreLayers(graph, direction);
}

/**
 * @param {Graph} graph
 * @param {"right" | "down"} direction
 * @returns {Layers}
 */
function dagreLayers(graph, direction) {
  const dagre = new DagreGraph();
  dagre.setGraph({ rankdir: direction === "right" ? "LR" : "TB", nodesep: GAP_ACROSS, ranksep: 1 });
  dagre.setDefaultEdgeLabel(() => ({}));
  // A step may have the name of one of Object's members, which dagre's plain objects trip over.
  for (const step of graph.steps) dagre.setNode(`#${step.id}`, { width: NODE_WIDTH, height: NODE_HEIGHT });
  for (const { from, to } of graph.edges) dagre.setEdge(`#${from}`, `#${to}`);
  dagreLayout(dagre);
  /** @type {Map<number, {id: string, across: number}[]>} */
  const byPlace = new Map();
  for (const step of graph.steps) {
    const { x, y } = dagre.node(`#${step.id}`);
    const [along, across] = direction === "right" ? [x, y] : [y, x];
    const layer = Math.round(along);
    byPlace.set(layer, [...(byPlace.get(layer) ?? []), { id: step.id, across }]);
  }
  return [...byPlace].sort(([one], [other]) => one - other).map(([, layer]) => layer);
}

/**
 * Each step one layer after the last of those it waits for, in the file's order.
 * @param {Graph} graph
 * @returns {Layers}
 */
function plainLayers(graph) {
  /** @type {Map<string, string[]>} */
  const before = new Map(graph.steps.map((step) => [step.id, []]));
  for (const { from, to } of graph.edges) before.get(to)?.push(from);
  /** @type {Map<string, number>} */
  const depths = new Map();
  for (const { id } of graph.steps) {
    // A chain of 20,000 must not recurse.
    const stack = [id];
    while (stack.length > 0) {
      const top = /** @type {string} */ (stack.at(-1));
      const waiting = (before.get(top) ?? []).filter((other) => !depths.has(other));
      if (waiting.length === 0 || stack.length > graph.steps.length) {
        const depth = Math.max(-1, ...(before.get(top) ?? []).map((other) => depths.get(other) ?? -1)) + 1;
        if (!depths.has(top)) depths.set(top, depth);
        stack.pop();
      } else {
        stack.push(.../** @type {string[]} */ (waiting));
      }
    }
  }
  /** @type {Layers} */
  const found = [];
  for (const { id } of graph.steps) {
    const layer = (found[depths.get(id) ?? 0] ??= []);
    layer.push({ id, across: layer.length * (NODE_HEIGHT + GAP_ACROSS) });
  }
  return found.filter((layer) => layer !== undefined);
}

/**
 * The same with each layer that is far thicker than the window made into several: steps that wait
 * for nothing would else stand in one endless column.
 * @param {Layers} all
 * @param {{width: number, height: number}} view
 * @returns {Layers}
 */
function thin(all, view) {
  const shape = view.width / Math.max(view.height, 1);
  return all.flatMap((layer) => {
    const most = Math.max(8, Math.round(Math.sqrt((layer.length * 2.5) / Math.max(shape, 0.5))));
    if (layer.length <= most) return [layer];
    const places = layer.map((node) => node.across).sort((one, other) => one - other);
    const ordered = [...layer].sort((one, other) => one.across - other.across);
    const count = Math.ceil(layer.length / most);
    return Array.from({ length: count }, (_, index) =>
      ordered
        .slice(index * most, (index + 1) * most)
        .map(({ id }, row) => ({ id, across: places[row] ?? 0 })),
    );
  });
}

/**
 * Boxes for the layers, broken into rows when one row would be far longer than the window's shape.
 * @param {Layers} all
 * @param {"right" | "down"} direction
 * @param {{width: number, height: number}} view
 * @returns {Map<string, Box>}
 */
function rows(all, direction, view) {
  const [size, across] = direction === "right" ? [NODE_WIDTH, NODE_HEIGHT] : [NODE_HEIGHT, NODE_WIDTH];
  const stride = size + GAP_ALONG;
  const perRow = direction === "right" ? layersPerRow(all, stride, across, view) : all.length;
  /** @type {Map<string, Box>} */
  const boxes = new Map();
  let offset = 0;
  for (let start = 0; start < all.length; start += perRow) {
    const row = all.slice(start, start + perRow);
    const places = row.flat().map((node) => node.across);
    const least = Math.min(...places);
    row.forEach((layer, index) => {
      for (const node of layer) {
        const along = index * stride;
        const side = offset + node.across - least;
        const [x, y] = direction === "right" ? [along, side] : [side, along];
        boxes.set(node.id, { x, y, width: NODE_WIDTH, height: NODE_HEIGHT });
      }
    });
    offset += Math.max(...places) - least + across + GAP_ROWS;
  }
  return boxes;
}

/**
 * @param {Layers} all
 * @param {number} stride
 * @param {number} across
 * @param {{width: number, height: number}} view
 */
function layersPerRow(all, stride, across, view) {
  const shape = view.width / Math.max(view.height, 1);
  const places = all.flat().map((node) => node.across);
  const thickness = Math.max(...places) - Math.min(...places) + across + GAP_ROWS;
  const whole = (all.length * stride) / thickness;
  // Up to three times too long, a ribbon is easier to follow than rows are.
  if (all.length <= 8 || whole <= 3 * shape) return all.length;
  const perRow = Math.round(Math.sqrt((shape * all.length * thickness) / stride));
  return Math.min(Math.max(perRow, 4), all.length);
}

/**
 * @param {Map<string, Box>} boxes
 * @returns {Map<string, Box>}
 */
function atOrigin(boxes) {
  let left = Infinity;
  let top = Infinity;
  for (const { x, y } of boxes.values()) {
    left = Math.min(left, x);
    top = Math.min(top, y);
  }
  return new Map(
    [...boxes].map(([id, box]) => [id, { ...box, x: box.x - left + MARGIN, y: box.y - top + MARGIN }]),
  );
}

/**
 * The node that an arrow key goes to from `id`: the nearest one in that direction, where being
 * off to the side counts double.
 * @param {ReadonlyMap<string, Box>} boxes
 * @param {string} id
 * @param {"left" | "right" | "up" | "down"} towards
 * @returns {string | null}
 */
export function neighbour(boxes, id, towards) {
  const from = boxes.get(id);
  if (from === undefined) return null;
  let best = null;
  let least = Infinity;
  for (const [other, box] of boxes) {
    const dx = box.x + box.width / 2 - (from.x + from.width / 2);
    const dy = box.y + box.height / 2 - (from.y + from.height / 2);
    const isSideways = towards === "left" || towards === "right";
    const sign = towards === "left" || towards === "up" ? -1 : 1;
    const along = sign * (isSideways ? dx : dy);
    const distance = along + 2 * Math.abs(isSideways ? dy : dx);
    if (along > 1 && distance < least) [best, least] = [other, distance];
  }
  return best;
}
