// How the page stands with the sidecar: a word in the header while all is well, a band across the
// page at once when it is not.

import { useNow } from "./clock.js";
import { html } from "./html.js";
import { Icon } from "./icons.js";

/** @import { ConnectionState } from "../transport.js" */

/** @type {Record<ConnectionState["status"], string>} */
const WORDS = {
  connecting: "connecting",
  connected: "connected",
  reconnecting: "not connected",
  refused: "not let in",
  closed: "ended",
};

/** @param {{connection: ConnectionState}} props */
export function ConnectionWord({ connection }) {
  return html`<span class=${`connection connection--${connection.status}`} role="status">
    <span class="connection__dot" aria-hidden="true"></span>${WORDS[connection.status]}
  </span>`;
}

/** @param {{connection: ConnectionState, onRetry: () => void}} props */
export function ConnectionBand({ connection, onRetry }) {
  const { status, reason, retryAt } = connection;
  const isWaiting = status === "reconnecting" && retryAt !== null;
  const now = useNow(isWaiting, 500);
  if (status === "connected" || status === "connecting") return null;
  const seconds = retryAt === null ? 0 : Math.max(1, Math.ceil((retryAt - now) / 1000));
  return html`<div class="band" role="alert">
    <${Icon} name="warning" />
    <p>
      <strong>${reason ?? "The sidecar does not answer."}</strong>
      ${status === "reconnecting" && " What you see is how things last stood."}
    </p>
    <span class="band__next" aria-live="off">
      ${status === "reconnecting" && (isWaiting ? `Trying again in ${seconds} s` : "Trying again …")}
    </span>
    ${status !== "closed" && html`<button type="button" class="button" onClick=${onRetry}>Try now</button>`}
  </div>`;
}
