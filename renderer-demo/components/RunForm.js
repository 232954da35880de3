// The form of a workflow's inputs. It shows fields and errors beside them; what they mean, the
// form's state knows.

import { fieldValue } from "../state/form.js";
import { visible } from "../state/words.js";
import { html } from "./html.js";
import { Icon } from "./icons.js";

/** @import { WorkflowInput } from "../../protocol/generated/protocol.js" */
/** @import { Fields } from "../state/form.js" */

/** @param {string} inputId */
export function fieldId(inputId) {
  return `input-${inputId}`;
}

/**
 * `general` are errors that belong to no field.
 * @typedef {object} Props
 * @property {readonly WorkflowInput[]} inputs
 * @property {Fields} fields
 * @property {ReadonlyMap<string, string>} errors
 * @property {readonly string[]} general
 * @property {(id: string, value: string | boolean) => void} onChange
 * @property {() => void} onReset
 * @property {() => void} onSubmit
 */

/** @param {Props} props */
export function RunForm({ inputs, fields, errors, general, onChange, onReset, onSubmit }) {
  const submit = (/** @type {Event} */ event) => {
    event.preventDefault();
    onSubmit();
  };
  // The button stands elsewhere, so the browser would not take Enter for it by itself.
  const onKeyDown = (/** @type {KeyboardEvent} */ event) => {
    if (event.key === "Enter" && event.target instanceof HTMLInputElement) submit(event);
  };
  return html`<form class="form" novalidate onSubmit=${submit} onKeyDown=${onKeyDown} aria-label="Inputs">
    ${general.length > 0 &&
    html`<div class="form__general" role="alert">
      ${general.map((text) => html`<p key=${text}><${Icon} name="warning" /> <span dir="auto">${visible(text)}</span></p>`)}
    </div>`}
    ${inputs.length === 0 && html`<p class="hint">This workflow takes no inputs.</p>`}
    ${inputs.map(
      (input) =>
        html`<${Field}
          key=${input.id}
          input=${input}
          value=${fieldValue(input, fields)}
          error=${errors.get(input.id) ?? null}
          onChange=${onChange}
        />`,
    )}
    ${fields.size > 0 &&
    html`<p class="actions">
      <button type="button" class="button button--quiet" onClick=${onReset}>
        <${Icon} name="again" /> Back to the defaults
      </button>
    </p>`}
  </form>`;
}

/** @type {Record<WorkflowInput["type"], string>} */
const KINDS = {
  string: "text",
  number: "number",
  boolean: "yes or no",
  select: "choice",
  file: "file in the project",
  directory: "folder in the project",
};

/**
 * @param {{input: WorkflowInput, value: string | boolean, error: string | null, onChange: Props["onChange"]}} props
 */
function Field({ input, value, error, onChange }) {
  const id = fieldId(input.id);
  const described = [`${id}-hint`, error === null ? "" : `${id}-error`].join(" ").trim();
  const common = {
    id,
    name: input.id,
    "aria-describedby": described,
    "aria-invalid": error !== null,
    "aria-required": input.required,
  };
  const label = visible(input.label ?? input.id);
  const isBox = input.type === "boolean";
  const control = isBox
    ? html`<input
        ...${common}
        type="checkbox"
        checked=${value === true}
        onChange=${(/** @type {any} */ event) => onChange(input.id, event.currentTarget.checked)}
      />`
    : html`<${TextControl} input=${input} value=${value} common=${common} onChange=${onChange} />`;
  return html`<div class=${`field${isBox ? " field--box" : ""}${error === null ? "" : " field--wrong"}`}>
    ${isBox && control}
    <label class="field__label" for=${id}>
      <span dir="auto">${label}</span>
      ${input.required && html`<span class="field__required">required</span>`}
    </label>
    ${!isBox && control}
    <p id=${`${id}-hint`} class="hint">${hint(input)}</p>
    ${error !== null &&
    html`<p id=${`${id}-error`} class="field__error"><${Icon} name="warning" /> <span dir="auto">${visible(error)}</span></p>`}
  </div>`;
}

/**
 * @param {{input: WorkflowInput, value: string | boolean, common: object, onChange: Props["onChange"]}} props
 */
function TextControl({ input, value, common, onChange }) {
  const changed = (/** @type {any} */ event) => onChange(input.id, event.currentTarget.value);
  if (input.options !== undefined) {
    return html`<select ...${common} class="control" value=${value} onChange=${changed}>
      ${!input.options.includes(String(value)) && html`<option value="">${value === "" ? "Choose …" : value}</option>`}
      ${input.options.map((option) => html`<option key=${option} value=${option}>${visible(option)}</option>`)}
    </select>`;
  }
  const isNumber = input.type === "number";
  return html`<input
    ...${common}
    class="control"
    type=${input.secret ? "password" : "text"}
    inputmode=${isNumber ? "decimal" : undefined}
    autocomplete=${input.secret ? "new-password" : "off"}
    autocapitalize="off"
    spellcheck=${false}
    value=${value}
    onInput=${changed}
  />`;
}

/** @param {WorkflowInput} input */
function hint(input) {
  const bounds =
    input.min !== undefined && input.max !== undefined
      ? `${input.min} to ${input.max}`
      : input.min !== undefined
        ? `at least ${input.min}`
        : input.max !== undefined
          ? `at most ${input.max}`
          : "";
  const unit = bounds !== "" && input.type === "string" ? " characters" : "";
  const facts = [
    input.secret ? "secret" : "",
    KINDS[input.type],
    bounds + unit,
    input.pattern === undefined ? "" : `matching ${input.pattern}`,
  ];
  const fact = facts.filter(Boolean).join(", ");
  return input.description === undefined
    ? `${fact[0]?.toUpperCase()}${fact.slice(1)}.`
    : `${visible(input.description)} (${fact})`;
}
