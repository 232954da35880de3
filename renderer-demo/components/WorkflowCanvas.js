// The canvas: a graph that can be panned, zoomed, fitted and walked through by keyboard. It knows
// pointers and keys; where the camera goes then, `state/camera.js` reckons; what a node looks like
// and how an edge stands, it is told.
//
// For assistive technology it is a list box of steps: the arrow keys go to the nearest node in
// their direction, Home and End to the first and last, Enter opens the step.

import { Component } from "../vendor/preact.js";
import { atStart, isNear, onAll, revealing, zoomed } from "../state/camera.js";
import { layOut, neighbour } from "../state/layout.js";
import { CanvasMap } from "./CanvasMap.js";
import { classes, html } from "./html.js";
import { Icon } from "./icons.js";
import { NodeFrame } from "./NodeFrame.js";

/** @import { VNode } from "../vendor/preact.js" */
/** @import { UiMetadata } from "../../protocol/generated/protocol.js" */
/** @import { Camera, Size } from "../state/camera.js" */
/** @import { Graph, GraphStep } from "../state/graph.js" */
/** @import { Box, Layout } from "../state/layout.js" */

/**
 * `follow`: the step to keep in sight until somebody moves the canvas.
 * @typedef {object} Props
 * @property {Graph} graph
 * @property {UiMetadata | null} metadata
 * @property {string | null} selected
 * @property {string | null} follow
 * @property {(id: string) => void} onSelect
 * @property {(step: GraphStep, box: Box) => VNode} renderNode  the same one while nothing of it changes
 * @property {(id: string) => string} statusOf
 * @property {(from: string, to: string) => "idle" | "active" | "done"} edgeState
 * @property {unknown} version  changes whenever what a node shows may have
 */

/** @typedef {{view: Size, camera: Camera, focused: string | null}} State */

/** Below it only icons are told apart. */
const FAR_ZOOM = 0.42;
const SIZES = [
  { below: FAR_ZOOM, name: "far" },
  { below: 0.66, name: "smaller" },
  { below: 0.85, name: "small" },
];
const ZOOM_STEP = 1.25;
const PAN_STEP = 60;
/** More nodes than these are drawn only where they can be seen. */
const MAX_DRAWN = 600;
/** Pixels that a pointer moves before a press becomes a drag. */
const DRAG_FROM = 4;

/** @extends {Component<Props, State>} */
export class WorkflowCanvas extends Component {
  /** @type {State} */
  state = { view: { width: 0, height: 0 }, camera: { x: 0, y: 0, zoom: 1 }, focused: null };
  /** @type {HTMLElement | null} */
  element = null;
  /** @type {ResizeObserver | null} */
  observer = null;
  /** @type {{key: unknown[], layout: Layout} | null} */
  known = null;
  hasMoved = false;
  /** @type {Map<number, {x: number, y: number}>} */
  pointers = new Map();
  isDragging = false;
  hasDragged = false;

  componentDidMount() {
    if (this.element === null) return;
    this.observer = new ResizeObserver(([entry]) => {
      if (entry !== undefined) this.resize(entry.contentRect.width, entry.contentRect.height);
    });
    this.observer.observe(this.element);
    // Not by a property: the page must be able to keep the browser from scrolling.
    this.element.addEventListener("wheel", this.onWheel, { passive: false });
    this.resize(this.element.clientWidth, this.element.clientHeight);
  }

  componentWillUnmount() {
    this.observer?.disconnect();
    this.element?.removeEventListener("wheel", this.onWheel);
  }

  /**
   * @param {Props} next
   * @param {State} state
   */
  shouldComponentUpdate(next, state) {
    const { props } = this;
    return (
      state !== this.state ||
      next.version !== props.version ||
      next.graph !== props.graph ||
      next.selected !== props.selected ||
      next.follow !== props.follow
    );
  }

  /** @param {Props} before */
  componentDidUpdate(before) {
    if (before.graph !== this.props.graph) {
      this.hasMoved = false;
      this.showStart();
    } else if (before.follow !== this.props.follow && this.props.follow !== null && !this.hasMoved) {
      this.reveal(this.props.follow);
    } else if (before.selected !== this.props.selected && this.props.selected !== null) {
      this.reveal(this.props.selected);
    }
  }

  /** @returns {Layout} */
  layout() {
    const { graph, metadata } = this.props;
    const { width, height } = this.state.view;
    // A window that is dragged wider is not laid out anew at each pixel.
    const shape = Math.round((4 * width) / Math.max(height, 1));
    const key = [graph, metadata, width < 560, shape];
    if (this.known !== null && this.known.key.every((item, index) => item === key[index])) {
      return this.known.layout;
    }
    this.known = { key, layout: layOut(graph, { width, height }, metadata) };
    return this.known.layout;
  }

  /**
   * @param {number} width
   * @param {number} height
   */
  resize(width, height) {
    if (width === 0 || (width === this.state.view.width && height === this.state.view.height)) return;
    this.setState({ view: { width, height } }, () => {
      if (!this.hasMoved) this.showStart();
    });
  }

  // --- the camera ----------------------------------------------------------------------------------

  /** All of it where it can be read so; else its beginning, or the step that is followed. */
  showStart() {
    if (this.state.view.width === 0) return;
    const { camera, isWhole } = atStart(this.state.view, this.layout());
    const { follow, selected, graph } = this.props;
    this.setState({ camera }, () => {
      if (!isWhole) this.reveal(follow ?? selected ?? graph.steps[0]?.id ?? "");
    });
  }

  fit = () => {
    this.moveTo(onAll(this.state.view, this.layout()));
  };

  /** @param {Camera} camera */
  moveTo(camera) {
    this.hasMoved = true;
    this.setState({ camera });
  }

  /**
   * @param {number} factor
   * @param {{x: number, y: number}} [at]  what stays where it is; else the middle
   */
  zoomBy(factor, at) {
    this.hasMoved = true;
    const { view } = this.state;
    const point = at ?? { x: view.width / 2, y: view.height / 2 };
    this.setState(({ camera }) => ({ camera: zoomed(camera, factor, point) }));
  }

  /**
   * @param {number} dx
   * @param {number} dy
   */
  panBy(dx, dy) {
    this.hasMoved = true;
    this.setState(({ camera }) => ({ camera: { ...camera, x: camera.x + dx, y: camera.y + dy } }));
  }

  /**
   * Bring a node into sight by the shortest way.
   * @param {string} id
   */
  reveal(id) {
    const box = this.layout().boxes.get(id);
    if (box === undefined) return;
    this.setState(({ camera, view }) => ({ camera: revealing(camera, view, box) }));
  }

  // --- pointers and keys ---------------------------------------------------------------------------

  onWheel = (/** @type {WheelEvent} */ event) => {
    event.preventDefault();
    const unit = event.deltaMode === WheelEvent.DOM_DELTA_LINE ? 16 : 1;
    if (event.ctrlKey || event.metaKey) {
      this.zoomBy(Math.exp(-event.deltaY * unit * 0.004), this.pointIn(event));
    } else if (event.shiftKey) {
      this.panBy(-(event.deltaY + event.deltaX) * unit, 0);
    } else {
      this.panBy(-event.deltaX * unit, -event.deltaY * unit);
    }
  };

  /** @param {MouseEvent} event */
  pointIn(event) {
    const { left, top } = this.element?.getBoundingClientRect() ?? { left: 0, top: 0 };
    return { x: event.clientX - left, y: event.clientY - top };
  }

  onPointerDown = (/** @type {PointerEvent} */ event) => {
    if (event.button !== 0) return;
    this.pointers.set(event.pointerId, { x: event.clientX, y: event.clientY });
    if (this.pointers.size === 1) this.hasDragged = false;
  };

  onPointerMove = (/** @type {PointerEvent} */ event) => {
    const before = this.pointers.get(event.pointerId);
    if (before === undefined) return;
    const [dx, dy] = [event.clientX - before.x, event.clientY - before.y];
    if (!this.hasDragged && Math.hypot(dx, dy) < DRAG_FROM) return;
    if (!this.hasDragged) {
      this.hasDragged = true;
      this.element?.setPointerCapture(event.pointerId);
    }
    const other = [...this.pointers].find(([id]) => id !== event.pointerId)?.[1];
    this.pointers.set(event.pointerId, { x: event.clientX, y: event.clientY });
    if (other === undefined) {
      this.panBy(dx, dy);
    } else {
      const was = Math.hypot(before.x - other.x, before.y - other.y);
      const is = Math.hypot(event.clientX - other.x, event.clientY - other.y);
      if (was > 0) this.zoomBy(is / was, this.pointIn(event));
    }
  };

  onPointerEnd = (/** @type {PointerEvent} */ event) => {
    this.pointers.delete(event.pointerId);
  };

  onKeyDown = (/** @type {KeyboardEvent} */ event) => {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    const action = this.keyAction(event);
    if (action === null) return;
    event.preventDefault();
    action();
  };

  /**
   * @param {KeyboardEvent} event
   * @returns {(() => void) | null}
   */
  keyAction({ key, shiftKey }) {
    const { graph, onSelect } = this.props;
    const towards = key.startsWith("Arrow") ? key.slice(5).toLowerCase() : null;
    if (towards === "left" || towards === "right" || towards === "up" || towards === "down") {
      if (shiftKey) {
        const [x, y] = { left: [1, 0], right: [-1, 0], up: [0, 1], down: [0, -1] }[towards];
        return () => this.panBy((x ?? 0) * PAN_STEP, (y ?? 0) * PAN_STEP);
      }
      const from = this.tabStop();
      return () => this.focus(from === null ? null : neighbour(this.layout().boxes, from, towards));
    }
    const current = this.tabStop();
    switch (key) {
      case "Home":
        return () => this.focus(graph.steps[0]?.id ?? null);
      case "End":
        return () => this.focus(graph.steps.at(-1)?.id ?? null);
      case "Enter":
      case " ":
        return current === null ? null : () => onSelect(current);
      case "+":
      case "=":
        return () => this.zoomBy(ZOOM_STEP);
      case "-":
        return () => this.zoomBy(1 / ZOOM_STEP);
      case "0":
        return this.fit;
      default:
        return null;
    }
  }

  /** The node that Tab comes to. */
  tabStop() {
    const { graph, selected, follow } = this.props;
    const ids = new Set(graph.steps.map((step) => step.id));
    for (const id of [this.state.focused, selected, follow]) if (id !== null && ids.has(id)) return id;
    return graph.steps[0]?.id ?? null;
  }

  /** @param {string | null} id */
  focus(id) {
    if (id === null) return;
    this.setState({ focused: id }, () => {
      this.reveal(id);
      /** @type {HTMLElement | null | undefined} */
      const node = this.element?.querySelector(`[data-step-id="${CSS.escape(id)}"]`);
      node?.focus({ preventScroll: true });
    });
  }

  onClick = (/** @type {MouseEvent} */ event) => {
    if (this.hasDragged) return;
    const node = /** @type {Element} */ (event.target).closest("[data-step-id]");
    const id = node?.getAttribute("data-step-id");
    if (id === null || id === undefined) return;
    this.setState({ focused: id });
    this.props.onSelect(id);
  };

  // --- drawing -------------------------------------------------------------------------------------

  render() {
    const { camera, view } = this.state;
    const size = SIZES.find(({ below }) => camera.zoom < below)?.name;
    const layout = view.width === 0 ? null : this.layout();
    const isHigher = layout !== null && layout.height * camera.zoom > view.height + 1;
    const isWider = layout !== null && layout.width * camera.zoom > view.width + 1;
    return html`<div class="canvas">
      <div
        class=${classes("canvas__view", size !== undefined && `canvas__view--${size}`)}
        ref=${(/** @type {HTMLElement | null} */ element) => {
          this.element = element;
        }}
        onPointerDown=${this.onPointerDown}
        onPointerMove=${this.onPointerMove}
        onPointerUp=${this.onPointerEnd}
        onPointerCancel=${this.onPointerEnd}
        onLostPointerCapture=${this.onPointerEnd}
        onClick=${this.onClick}
        onKeyDown=${this.onKeyDown}
      >
        ${layout !== null && this.renderWorld(layout)}
      </div>
      ${layout !== null &&
      (isHigher || isWider) &&
      html`<${CanvasMap}
        layout=${layout}
        camera=${camera}
        view=${view}
        statusOf=${this.props.statusOf}
        onMove=${(/** @type {Camera} */ to) => this.moveTo(to)}
      />`}
      <div class="canvas__tools" role="group" aria-label="Zoom">
        ${this.renderTool("plus", "Zoom in", () => this.zoomBy(ZOOM_STEP))}
        ${this.renderTool("minus", "Zoom out", () => this.zoomBy(1 / ZOOM_STEP))}
        ${this.renderTool("fit", "Show all steps", this.fit)}
      </div>
    </div>`;
  }

  /**
   * @param {string} icon
   * @param {string} label
   * @param {() => void} press
   */
  renderTool(icon, label, press) {
    return html`<button type="button" class="tool" aria-label=${label} title=${label} onClick=${press}>
      <${Icon} name=${icon} />
    </button>`;
  }

  /**
   * @param {Layout} layout
   * @returns {VNode}
   */
  renderWorld(layout) {
    const { graph, renderNode, selected, edgeState } = this.props;
    const { camera, view } = this.state;
    const { x, y, zoom } = camera;
    const isSeen = (/** @type {Box | undefined} */ box) => box !== undefined && isNear(camera, view, box);
    const tabStop = this.tabStop();
    const isAll = graph.steps.length <= MAX_DRAWN;
    const total = graph.steps.length;
    return html`<div class="canvas__world" style=${{ transform: `translate(${x}px, ${y}px) scale(${zoom})` }}>
      <svg class="edges" width=${layout.width} height=${layout.height} aria-hidden="true">
        ${layout.edges.map((edge) => {
          const [from, to] = [layout.boxes.get(edge.from), layout.boxes.get(edge.to)];
          if (!isAll && !isSeen(from) && !isSeen(to)) return null;
          const state = edgeState(edge.from, edge.to);
          return html`<path key=${`${edge.from} ${edge.to}`} class=${`edge edge--${state}`} d=${edge.path} />`;
        })}
      </svg>
      <div role="listbox" aria-label="Steps" aria-orientation="horizontal" class="nodes">
        ${graph.steps.map((step, index) => {
          const box = layout.boxes.get(step.id);
          if (box === undefined || (!isAll && step.id !== tabStop && !isSeen(box))) return null;
          return html`<${NodeFrame}
            key=${step.id}
            id=${step.id}
            box=${box}
            isTabStop=${step.id === tabStop}
            isSelected=${step.id === selected}
            position=${index + 1}
            total=${total}
            content=${renderNode(step, box)}
          />`;
        })}
      </div>
    </div>`;
  }
}
