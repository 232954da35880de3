// Values and texts from scripts, shown as they are: as text, with what is invisible made visible,
// a beginning of what is long, and the rest when asked for.

import { useEffect, useLayoutEffect, useRef, useState } from "../vendor/hooks.js";
import { size, visible } from "../state/words.js";
import { CopyButton } from "./copying.js";
import { html } from "./html.js";

/** @import { JsonValue } from "../../protocol/generated/protocol.js" */

/** Characters that are shown at first: more makes a page slow, and nobody reads them. */
const SHOWN_AT_FIRST = 20_000;

/**
 * A value that was too large for an event, as what it is.
 * @param {JsonValue | undefined} value
 * @returns {{bytes: number, preview: string} | null}
 */
function cutValue(value) {
  if (value === null || typeof value !== "object" || Array.isArray(value)) return null;
  const { $truncated, bytes, preview } = value;
  return $truncated === true && typeof bytes === "number" && typeof preview === "string"
    ? { bytes, preview }
    : null;
}

/**
 * For JSON.stringify: what was cut within a value, as its beginning.
 * @param {string} _
 * @param {JsonValue} value
 */
function withPreviews(_, value) {
  const cut = cutValue(value);
  return cut === null ? value : `${cut.preview}… (beginning of ${size(cut.bytes)})`;
}

/**
 * @param {{name: string, value: JsonValue | undefined}} props
 */
export function Value({ name, value }) {
  if (value === undefined) return null;
  const cut = cutValue(value);
  const text = cut === null ? JSON.stringify(value, withPreviews, 2) : cut.preview;
  const isEmpty = text === "{}";
  return html`<section class="value" aria-label=${name}>
    <header class="value__header">
      <h4>${name}</h4>
      ${cut !== null && html`<span class="hint">beginning of ${size(cut.bytes)}</span>`}
      ${!isEmpty && html`<${CopyButton} text=${() => text} label="Copy" isQuiet=${true} />`}
    </header>
    ${isEmpty ? html`<p class="hint">none</p>` : html`<${LongText} text=${text} name=${name} />`}
  </section>`;
}

/**
 * Text in its own scrolling box. `isLive`: it grows at its end, which stays in sight unless
 * somebody has scrolled up.
 * @param {{text: string, name: string, isLive?: boolean, isError?: boolean}} props
 */
export function LongText({ text, name, isLive = false, isError = false }) {
  const [isWhole, setIsWhole] = useState(false);
  const box = useRef(/** @type {HTMLPreElement | null} */ (null));
  const isAtEnd = useRef(true);
  useLayoutEffect(() => {
    if (isLive && isAtEnd.current && box.current) box.current.scrollTop = box.current.scrollHeight;
  }, [text, isLive]);
  useEffect(() => setIsWhole(false), [name]);
  const onScroll = () => {
    const element = box.current;
    if (element) isAtEnd.current = element.scrollTop + element.clientHeight >= element.scrollHeight - 8;
  };
  const isCut = !isWhole && text.length > SHOWN_AT_FIRST;
  const part = isCut ? (isLive ? text.slice(-SHOWN_AT_FIRST) : text.slice(0, SHOWN_AT_FIRST)) : text;
  return html`<pre
      ref=${box}
      class=${isError ? "code code--error" : "code"}
      tabindex="0"
      role=${isLive ? "log" : "region"}
      aria-label=${name}
      aria-live="off"
      dir="ltr"
      onScroll=${onScroll}
    >${visible(part)}</pre>
    ${isCut &&
    html`<button type="button" class="button button--quiet" onClick=${() => setIsWhole(true)}>
      Show all ${text.length.toLocaleString("en")} characters
    </button>`}`;
}
