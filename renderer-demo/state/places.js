// The page's addresses, after the `#`: which workflow, which of its runs.
//
//   #/workflow/ID                 a workflow
//   #/workflow/ID/run/RUN         one of its runs
//   #/file/PATH[/run/RUN]         a workflow by its file: one that is broken, or shares its id

/**
 * Where the page is. Nothing is null but what is not named.
 * @typedef {object} Place
 * @property {string | null} workflowId
 * @property {string | null} path
 * @property {string | null} runId
 */

/** @type {Place} */
export const NOWHERE = { workflowId: null, path: null, runId: null };

/**
 * @param {string} hash  of the page's address
 * @returns {Place}
 */
export function placeOf(hash) {
  const match = /^#\/(workflow|file)\/([^/]+)(?:\/run\/([^/]+))?\/?$/.exec(hash);
  if (match === null) return NOWHERE;
  try {
    const name = decodeURIComponent(match[2] ?? "");
    const runId = match[3] === undefined ? null : decodeURIComponent(match[3]);
    return match[1] === "file"
      ? { workflowId: null, path: name, runId }
      : { workflowId: name, path: null, runId };
  } catch {
    return NOWHERE;
  }
}

/**
 * @param {Partial<Place>} place
 * @returns {string}
 */
export function hashOf({ workflowId = null, path = null, runId = null }) {
  if (workflowId === null && path === null) return "#/";
  const subject =
    path !== null
      ? `file/${encodeURIComponent(path)}`
      : `workflow/${encodeURIComponent(workflowId ?? "")}`;
  return `#/${subject}${runId === null ? "" : `/run/${encodeURIComponent(runId)}`}`;
}
