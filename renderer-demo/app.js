// Where the page begins: its transport, its session, its frame.

import { App } from "./components/App.js";
import { html } from "./components/html.js";
import { Session } from "./state/session.js";
import { chooseTransport } from "./transport-choice.js";
import { render } from "./vendor/preact.js";

/** Before the next frame; a page in the background has none, and goes on by itself. @param {() => void} flush */
function beforeNextFrame(flush) {
  if (document.hidden) setTimeout(flush, 100);
  else requestAnimationFrame(flush);
}

const root = document.getElementById("app");
if (root === null) throw new Error("index.html has no element #app");
const session = new Session(chooseTransport(), beforeNextFrame);
render(html`<${App} session=${session} />`, root);
