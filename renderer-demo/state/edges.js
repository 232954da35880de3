// How the edges run from box to box, as paths of SVG with an arrow's head.

/** @import { Edge } from "./graph.js" */
/** @import { Box } from "./layout.js" */

/** @typedef {Edge & {path: string}} DrawnEdge */

/** Room that edges need between nodes, in the direction in which they point. */
export const GAP_ALONG = 72;
/** And between rows, where they run back. */
export const GAP_ROWS = 64;

/**
 * The edges whose both ends have a box.
 * @param {readonly Edge[]} edges
 * @param {ReadonlyMap<string, Box>} boxes
 * @param {"right" | "down"} direction
 * @returns {DrawnEdge[]}
 */
export function drawnEdges(edges, boxes, direction) {
  return edges.flatMap((edge) => {
    const from = boxes.get(edge.from);
    const to = boxes.get(edge.to);
    if (from === undefined || to === undefined) return [];
    return [{ ...edge, path: direction === "right" ? rightward(from, to) : downward(from, to) }];
  });
}

/**
 * From the right side to the left one; back around in a gap when the target is no further right.
 * @param {Box} from
 * @param {Box} to
 */
function rightward(from, to) {
  const [x1, y1] = [from.x + from.width, from.y + from.height / 2];
  const [x2, y2] = [to.x, to.y + to.height / 2];
  if (x2 > x1) {
    const bend = Math.min(Math.max((x2 - x1) / 2, 24), 140);
    return `M${x1} ${y1}C${x1 + bend} ${y1} ${x2 - bend} ${y2} ${x2} ${y2}${rightHead(x2, y2)}`;
  }
  const turn = GAP_ALONG / 2;
  const lane = to.y > from.y + from.height ? to.y - GAP_ROWS / 2 : from.y + from.height + GAP_ROWS / 2;
  return (
    `M${x1} ${y1}C${x1 + turn} ${y1} ${x1 + turn} ${lane} ${x1} ${lane}` +
    `L${x2} ${lane}C${x2 - turn} ${lane} ${x2 - turn} ${y2} ${x2} ${y2}${rightHead(x2, y2)}`
  );
}

/**
 * @param {Box} from
 * @param {Box} to
 */
function downward(from, to) {
  const [x1, y1] = [from.x + from.width / 2, from.y + from.height];
  const [x2, y2] = [to.x + to.width / 2, to.y];
  const bend = Math.min(Math.max(Math.abs(y2 - y1) / 2, 20), 100);
  const head = `M${x2 - 5} ${y2 - 7}L${x2} ${y2}L${x2 + 5} ${y2 - 7}`;
  return `M${x1} ${y1}C${x1} ${y1 + bend} ${x2} ${y2 - bend} ${x2} ${y2}${head}`;
}

/**
 * @param {number} x
 * @param {number} y
 */
function rightHead(x, y) {
  return `M${x - 7} ${y - 5}L${x} ${y}L${x - 7} ${y + 5}`;
}
