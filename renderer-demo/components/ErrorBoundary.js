// A part of the page that throws shows what happened in its place; the rest goes on working.

import { Component } from "../vendor/preact.js";
import { CopyButton } from "./copying.js";
import { html } from "./html.js";
import { Icon } from "./icons.js";

/** @import { ComponentChildren } from "../vendor/preact.js" */

/**
 * `name` is the part's, as people call it; a change of `about` is a new beginning.
 * @typedef {{name: string, about?: unknown, children?: ComponentChildren}} Props
 */

/** @extends {Component<Props, {error: Error | null}>} */
export class ErrorBoundary extends Component {
  /** @type {{error: Error | null}} */
  state = { error: null };

  /** @param {unknown} error */
  static getDerivedStateFromError(error) {
    return { error: error instanceof Error ? error : new Error(String(error)) };
  }

  /** @param {Props} before */
  componentDidUpdate(before) {
    if (this.state.error !== null && before.about !== this.props.about) this.retry();
  }

  retry = () => this.setState({ error: null });

  render() {
    const { error } = this.state;
    if (error === null) return this.props.children;
    const details = `${this.props.name}\n${error.name}: ${error.message}\n${error.stack ?? ""}`;
    return html`<section class="broken" role="alert" aria-label=${`${this.props.name} does not work`}>
      <h2 class="broken__title"><${Icon} name="warning" /> ${this.props.name} does not work</h2>
      <p>Something in this part of the page went wrong. The rest goes on, and so does the run.</p>
      <pre class="code code--error" tabindex="0">${error.name}: ${error.message}</pre>
      <p class="actions">
        <button type="button" class="button" onClick=${this.retry}><${Icon} name="again" /> Try again</button>
        <${CopyButton} text=${() => details} label="Copy the details" />
      </p>
    </section>`;
  }
}
