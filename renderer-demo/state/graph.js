// The workflow as a graph: which step waits for which. It knows the file's format, no pixels.

/** @import { JsonValue, OutputStep, PythonStep, Workflow } from "../../protocol/generated/protocol.js" */
/** @import { Run } from "./run.js" */

/** @typedef {{from: string, to: string}} Edge */
/** @typedef {{id: string, label: string, type: "python" | "output", description: string | null}} GraphStep */
/** @typedef {{steps: readonly GraphStep[], edges: readonly Edge[]}} Graph */

const REFERENCE = /\$\$\{|\$\{steps\.([A-Za-z0-9_][A-Za-z0-9_-]*)/g;

/**
 * Ids of the steps that a value refers to; `$${` is a literal `${`.
 * @param {JsonValue} value
 * @param {Set<string>} found
 */
function collectReferences(value, found) {
  if (typeof value === "string") {
    for (const [, id] of value.matchAll(REFERENCE)) if (id !== undefined) found.add(id);
  } else if (Array.isArray(value)) {
    for (const item of value) collectReferences(item, found);
  } else if (value !== null && typeof value === "object") {
    for (const item of Object.values(value)) collectReferences(item, found);
  }
}

/**
 * @param {PythonStep | OutputStep} step
 * @returns {Set<string>} ids of the steps it waits for, by `depends_on` and by reference
 */
function dependencies(step) {
  const found = new Set(step.depends_on);
  if (step.type === "output") {
    collectReferences(step.message, found);
  } else {
    collectReferences(step.inputs, found);
    collectReferences(step.env, found);
  }
  found.delete(step.id);
  return found;
}

/**
 * @param {Workflow} workflow
 * @returns {Graph}
 */
export function graphOf(workflow) {
  const ids = new Set(workflow.steps.map((step) => step.id));
  return {
    steps: workflow.steps.map((step) => ({
      id: step.id,
      label: step.label ?? step.id,
      type: step.type,
      description: step.description ?? null,
    })),
    edges: workflow.steps.flatMap((step) =>
      [...dependencies(step)].filter((id) => ids.has(id)).map((id) => ({ from: id, to: step.id })),
    ),
  };
}

/**
 * The graph of a run: its own steps, whatever the file says today, with the file's edges between
 * them. `differs` tells that the file has other steps by now. Without a file the steps stand in a chain.
 * @param {Graph | null} graph
 * @param {Run} run
 * @returns {{graph: Graph, differs: boolean}}
 */
export function graphOfRun(graph, run) {
  if (run.steps.size === 0 && graph !== null) return { graph, differs: false };
  const declared = new Map(graph?.steps.map((step) => [step.id, step]));
  const same = declared.size === run.steps.size && [...run.steps.keys()].every((id) => declared.has(id));
  if (graph !== null && same) return { graph, differs: false };
  const steps = [...run.steps.values()].map((step) => {
    const known = declared.get(step.id);
    return {
      id: step.id,
      label: step.label ?? known?.label ?? step.id,
      type: known?.type ?? /** @type {const} */ ("python"),
      description: known?.description ?? null,
    };
  });
  const chain = steps.slice(1).map((step, index) => ({ from: steps[index]?.id ?? "", to: step.id }));
  const edges = graph?.edges.filter(({ from, to }) => run.steps.has(from) && run.steps.has(to));
  return { graph: { steps, edges: edges ?? chain }, differs: true };
}
