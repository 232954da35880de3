"use strict";
/**
 * The demo page under a scheme of its own: an origin that no file and no web page has.
 *
 * Served are the page's files as they were found at the start, with its content security policy;
 * no path of a request is ever turned into a path of a file. It knows no sidecar.
 */

const { readFile } = require("node:fs/promises");
const { readdirSync } = require("node:fs");
const path = require("node:path");
const { protocol } = require("electron");

const SCHEME = "workflow-demo";
const ORIGIN = `${SCHEME}://page`;
const PAGE_URL = `${ORIGIN}/index.html`;
const FOLDER = path.join(__dirname, "..");
/** What lies beside the page and is none of it. */
const OTHERS = ["electron", "sample-project", "node_modules"];
/** @type {Record<string, string>} */
const TYPES = {
  ".html": "text/html",
  ".js": "text/javascript",
  ".css": "text/css",
  ".svg": "image/svg+xml",
};
const HEADERS = {
  // Nothing from anywhere else, no connection: what the page wants goes over the bridge.
  "Content-Security-Policy":
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; " +
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
  "X-Content-Type-Options": "nosniff",
  "Cache-Control": "no-store",
};

/** Before the app is ready. */
function registerScheme() {
  const privileges = { standard: true, secure: true };
  protocol.registerSchemesAsPrivileged([{ scheme: SCHEME, privileges }]);
}

/** When the app is ready. */
function servePage() {
  const files = filesBelow(FOLDER, "");
  protocol.registerBufferProtocol(SCHEME, async (request, answer) => {
    const { pathname } = new URL(request.url);
    const type = TYPES[path.extname(pathname)];
    if (!files.has(pathname) || type === undefined) {
      answer({ statusCode: 404, mimeType: "text/plain", data: Buffer.from("not found\n"), headers: HEADERS });
      return;
    }
    const data = await readFile(path.join(FOLDER, pathname));
    answer({ mimeType: type, charset: "utf-8", data, headers: HEADERS });
  });
}

/**
 * @param {string} folder
 * @param {string} below
 * @returns {Set<string>} The paths of the page's files, as URLs have them.
 */
function filesBelow(folder, below) {
  /** @type {Set<string>} */
  const found = new Set();
  for (const entry of readdirSync(folder, { withFileTypes: true })) {
    if (entry.name.startsWith(".") || (below === "" && OTHERS.includes(entry.name))) continue;
    if (entry.isDirectory())
      filesBelow(path.join(folder, entry.name), `${below}/${entry.name}`).forEach((file) => found.add(file));
    else if (path.extname(entry.name) in TYPES) found.add(`${below}/${entry.name}`);
  }
  return found;
}

/**
 * Whether a page is ours, and not one that it was led to.
 * @param {string | undefined} url
 */
function isPage(url) {
  return url !== undefined && url.startsWith(`${ORIGIN}/`);
}

module.exports = { PAGE_URL, isPage, registerScheme, servePage };
