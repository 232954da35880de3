// Markup as tagged templates. What is inserted becomes text or properties, never markup.

import htm from "../vendor/htm.js";
import { h } from "../vendor/preact.js";

/** @import { VNode } from "../vendor/preact.js" */

export const html = /** @type {(strings: TemplateStringsArray, ...values: any[]) => VNode} */ (htm.bind(h));

/**
 * @param {...(string | false | null | undefined)} names
 * @returns {string} those that are there, for `class`
 */
export function classes(...names) {
  return names.filter(Boolean).join(" ");
}
