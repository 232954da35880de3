// The page's icons: strokes in the colour of the text beside them. Decoration: what they mean
// always stands there in words as well.

import { html } from "./html.js";

/** @import { VNode } from "../vendor/preact.js" */

/** @type {Record<string, string>} */
const PATHS = {
  pending: "M8 2.5a5.5 5.5 0 1 1 0 11a5.5 5.5 0 0 1 0-11z",
  running: "M8 2a6 6 0 0 1 6 6",
  success: "M3.5 8.5l3 3l6-7",
  error: "M4.5 4.5l7 7M11.5 4.5l-7 7",
  skipped: "M3.5 4.5l4 3.5l-4 3.5M8.5 4.5l4 3.5l-4 3.5",
  failed: "M4.5 4.5l7 7M11.5 4.5l-7 7",
  cancelled: "M5 5h6v6h-6z",
  play: "M5 3.2v9.6l8-4.8z",
  stop: "M4.5 4.5h7v7h-7z",
  again: "M13 8a5 5 0 1 1-1.6-3.7M13 2.5v3h-3",
  plus: "M8 3.5v9M3.5 8h9",
  minus: "M3.5 8h9",
  fit: "M2.5 6v-3.5h3.5M10 2.5h3.5v3.5M13.5 10v3.5h-3.5M6 13.5h-3.5v-3.5",
  copy: "M5.5 5.5v-3h8v8h-3M2.5 5.5h8v8h-8z",
  download: "M8 2.5v7.5M4.5 7l3.5 3.5l3.5-3.5M3 13.5h10",
  trash: "M3 4.5h10M6 4.5v-2h4v2M4.5 4.5l.6 9h5.8l.6-9",
  arrow: "M3 8h10M9 4l4 4l-4 4",
  warning: "M8 2.5l6 11h-12zM8 6.5v3.5M8 11.7v.3",
  link: "M6.5 9.5l3-3M7 4.5l1.2-1.2a2.6 2.6 0 0 1 3.7 3.7l-1.3 1.3M9 11.5l-1.2 1.2a2.6 2.6 0 0 1-3.7-3.7l1.3-1.3",
  refresh: "M13 8a5 5 0 1 1-1.6-3.7M13 2.5v3h-3",
  target: "M8 1.5v3M8 11.5v3M1.5 8h3M11.5 8h3M8 4.5a3.5 3.5 0 1 1 0 7a3.5 3.5 0 0 1 0-7z",
};
const FILLED = new Set(["play", "stop", "cancelled"]);

/**
 * @param {{name: string}} props
 * @returns {VNode}
 */
export function Icon({ name }) {
  const isFilled = FILLED.has(name);
  return html`<svg
    class=${`icon icon--${name}`}
    viewBox="0 0 16 16"
    width="16"
    height="16"
    aria-hidden="true"
    focusable="false"
  >
    ${name === "running" && html`<circle class="icon__track" cx="8" cy="8" r="6" />`}
    <path class=${isFilled ? "icon__fill" : "icon__stroke"} d=${PATHS[name] ?? ""} />
  </svg>`;
}

/** @type {Record<string, string>} */
const ICON_OF_STATUS = { running: "running", failed: "failed", cancelled: "cancelled" };

/**
 * A status by colour, icon and word.
 * @param {{status: string}} props
 * @returns {VNode}
 */
export function Status({ status }) {
  return html`<span class=${`status status--${status}`}>
    <${Icon} name=${ICON_OF_STATUS[status] ?? status} />${status}
  </span>`;
}
