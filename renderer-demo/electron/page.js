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
/** Below it, what belongs to the page. */
const FOLDERS = ["", "components", "state", "styles", "vendor"];
/** @type {Record<string, string>} */
const TYPES = {
  ".html": "text/html",
  ".js": "text/javascript",
  ".css": "text/css",
  ".svg": "image/svg+xml",
  ".woff2": "font/woff2",
};
const HEADERS = {
  // Nothing from anywhere else, no connection: what the page wants goes over the bridge.
  "Content-Security-Policy":
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; " +
    "font-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
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
  const files = pageFiles();
  protocol.registerBufferProtocol(SCHEME, async (request, answer) => {
    const file = files.get(new URL(request.url).pathname);
    const type = file && TYPES[path.extname(file)];
    if (file === undefined || type === undefined) {
      const data = Buffer.from("not found\n");
      answer({ statusCode: 404, mimeType: "text/plain", data, headers: HEADERS });
      return;
    }
    answer({ mimeType: type, charset: "utf-8", data: await readFile(file), headers: HEADERS });
  });
}

/** @returns {Map<string, string>} The page's files by the paths of their URLs. */
function pageFiles() {
  const files = new Map();
  for (const below of FOLDERS)
    for (const name of readdirSync(path.join(FOLDER, below)))
      if (path.extname(name) in TYPES)
        files.set(`/${path.posix.join(below, name)}`, path.join(FOLDER, below, name));
  return files;
}

/**
 * Whether a page is ours, and not one that it was led to.
 * @param {string | undefined} url
 */
function isPage(url) {
  return url !== undefined && url.startsWith(`${ORIGIN}/`);
}

module.exports = { PAGE_URL, isPage, registerScheme, servePage };
