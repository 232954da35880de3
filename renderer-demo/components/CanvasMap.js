// The whole canvas in small, with the part in sight. A help for the eye only.

import { lookingAt } from "../state/camera.js";
import { html } from "./html.js";

/** @import { Camera, Size } from "../state/camera.js" */
/** @import { Layout } from "../state/layout.js" */

/**
 * @param {{layout: Layout, camera: Camera, view: Size, statusOf: (id: string) => string, onMove: (camera: Camera) => void}} props
 */
export function CanvasMap({ layout, camera, view, statusOf, onMove }) {
  const goTo = (/** @type {MouseEvent} */ event) => {
    const { left, top, width, height } = /** @type {Element} */ (event.currentTarget).getBoundingClientRect();
    const scale = Math.max(layout.width / width, layout.height / height);
    const x = (event.clientX - left - (width - layout.width / scale) / 2) * scale;
    const y = (event.clientY - top - (height - layout.height / scale) / 2) * scale;
    onMove(lookingAt(camera, view, { x, y }));
  };
  // One shape for all nodes of a status: it is drawn in each frame in which a node changes.
  /** @type {Map<string, string>} */
  const shapes = new Map();
  for (const [id, { x, y, width, height }] of layout.boxes) {
    const status = statusOf(id);
    shapes.set(status, `${shapes.get(status) ?? ""}M${x} ${y}h${width}v${height}h${-width}z`);
  }
  return html`<svg
    class="map"
    aria-hidden="true"
    viewBox=${`0 0 ${layout.width} ${layout.height}`}
    preserveAspectRatio="xMidYMid meet"
    onClick=${goTo}
  >
    ${[...shapes].map(([status, path]) => html`<path key=${status} class=${`map__node map__node--${status}`} d=${path} />`)}
    <rect
      class="map__view"
      x=${-camera.x / camera.zoom}
      y=${-camera.y / camera.zoom}
      width=${view.width / camera.zoom}
      height=${view.height / camera.zoom}
    />
  </svg>`;
}
