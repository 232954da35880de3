// Taking something along: to the clipboard, or as a file.

import { useState } from "../vendor/hooks.js";
import { html } from "./html.js";
import { Icon } from "./icons.js";

/** How long a button says that it has done its work. */
const TOLD_MS = 2000;

/**
 * @param {string} text
 */
async function copy(text) {
  try {
    await navigator.clipboard.writeText(text);
  } catch {
    copyBySelection(text); // a host's window may not be allowed to
  }
}

/** @param {string} text */
function copyBySelection(text) {
  const area = document.createElement("textarea");
  area.value = text;
  area.className = "offscreen";
  const before = /** @type {HTMLElement | null} */ (document.activeElement);
  document.body.append(area);
  area.select();
  const isCopied = document.execCommand("copy");
  area.remove();
  before?.focus();
  if (!isCopied) throw new Error("Nothing could be copied: the browser does not allow it.");
}

/**
 * @param {string} name  of the file
 * @param {string} text  JSON
 */
export function download(name, text) {
  const url = URL.createObjectURL(new Blob([text], { type: "application/json" }));
  const link = document.createElement("a");
  link.href = url;
  link.download = name;
  link.click();
  // The browser has taken it when the click returns; not yet in every version.
  setTimeout(() => URL.revokeObjectURL(url), 10_000);
}

/**
 * `text` is asked for when the button is pressed.
 * @param {{text: () => string | Promise<string>, label: string, isQuiet?: boolean}} props
 */
export function CopyButton({ text, label, isQuiet = false }) {
  const [told, setTold] = useState(/** @type {string | null} */ (null));
  const press = async () => {
    try {
      await copy(await text());
      setTold("Copied");
    } catch (error) {
      setTold(error instanceof Error ? error.message : String(error));
    }
    setTimeout(() => setTold(null), TOLD_MS);
  };
  return html`<button
    type="button"
    class=${isQuiet ? "button button--quiet" : "button"}
    onClick=${press}
  >
    <${Icon} name=${told === "Copied" ? "success" : "copy"} />
    <span aria-live="polite">${told ?? label}</span>
  </button>`;
}
