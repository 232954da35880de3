// One step in its place on the canvas: what the keyboard and a screen reader meet there. What is
// drawn inside, it is given.

import { Component } from "../vendor/preact.js";
import { html } from "./html.js";

/** @import { VNode } from "../vendor/preact.js" */
/** @import { Box } from "../state/layout.js" */

/** @extends {Component<{id: string, box: Box, isTabStop: boolean, isSelected: boolean, position: number, total: number, content: VNode}>} */
export class NodeFrame extends Component {
  /** @param {NodeFrame["props"]} next */
  shouldComponentUpdate(next) {
    const { props } = this;
    // Hundreds of them are looked at in each frame, of which a few have changed.
    return (
      next.content !== props.content ||
      next.box !== props.box ||
      next.isTabStop !== props.isTabStop ||
      next.isSelected !== props.isSelected ||
      next.position !== props.position ||
      next.total !== props.total
    );
  }

  render() {
    const { id, box, isTabStop, isSelected, position, total, content } = this.props;
    return html`<div
      role="option"
      class="nodes__place"
      data-step-id=${id}
      tabindex=${isTabStop ? 0 : -1}
      aria-selected=${isSelected}
      aria-posinset=${position}
      aria-setsize=${total}
      style=${{ left: `${box.x}px`, top: `${box.y}px`, width: `${box.width}px`, height: `${box.height}px` }}
    >
      ${content}
    </div>`;
  }
}
