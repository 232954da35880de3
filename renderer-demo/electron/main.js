"use strict";
/**
 * The demo page as an Electron app: windows, their menu, and one sidecar for all of them.
 *
 *     electron renderer-demo/electron [--project=DIR]
 *
 * Without a project it works on a copy of the sample in the app's data folder.
 */

const { cpSync, existsSync } = require("node:fs");
const path = require("node:path");
const { app, BrowserWindow, ipcMain, Menu, session } = require("electron");
const { PAGE_URL, isPage, registerScheme, servePage } = require("./page.js");
const { SidecarHost } = require("./sidecar-host.js");

const SAMPLE = path.join(__dirname, "..", "sample-project");
/** What runs leave behind in the sample's folder. */
const LEFTOVERS = ["__pycache__", "workflow-report", ".workflow-sidecar"];

registerScheme();
app.setName("Workflow sidecar demo");

app.whenReady().then(() => {
  servePage();
  // The page needs none of what browsers ask for.
  session.defaultSession.setPermissionRequestHandler((_, __, answer) => answer(false));
  session.defaultSession.setPermissionCheckHandler(() => false);
  Menu.setApplicationMenu(menu());

  const sidecar = new SidecarHost({ project: project() });
  sidecar.onLog((line) => process.stderr.write(`${line}\n`));
  sidecar.forward({ app, ipcMain }, ({ senderFrame: frame }) => {
    return frame !== null && frame.parent === null && isPage(frame.url);
  });
  openWindow();
  app.on("activate", () => {
    if (BrowserWindow.getAllWindows().length === 0) openWindow();
  });
});

app.on("window-all-closed", () => {
  if (process.platform !== "darwin") app.quit();
});

app.on("web-contents-created", (_, contents) => {
  // Nothing leads away from the page; a second window of it is one like the first.
  contents.on("will-navigate", (event, url) => {
    if (!isPage(url)) event.preventDefault();
  });
  contents.on("will-attach-webview", (event) => event.preventDefault());
  contents.setWindowOpenHandler(({ url }) => {
    if (isPage(url)) openWindow(url);
    return { action: "deny" };
  });
});

function openWindow(url = PAGE_URL) {
  const window = new BrowserWindow({
    width: 1280,
    height: 800,
    minWidth: 360,
    minHeight: 320,
    show: false,
    webPreferences: {
      preload: path.join(__dirname, "preload.js"),
      contextIsolation: true,
      sandbox: true,
      nodeIntegration: false,
    },
  });
  window.once("ready-to-show", () => window.show());
  void window.loadURL(url);
}

/** The project's folder: what `--project` names, else a copy of the sample, made once. */
function project() {
  const [given] = process.argv.filter((word) => word.startsWith("--project=")).slice(-1);
  if (given !== undefined) return path.resolve(given.slice("--project=".length));
  const copy = path.join(app.getPath("userData"), "sample-project");
  if (!existsSync(copy)) {
    const isSource = (/** @type {string} */ file) => !LEFTOVERS.includes(path.basename(file));
    cpSync(SAMPLE, copy, { recursive: true, filter: isSource });
  }
  return copy;
}

function menu() {
  /** @type {Electron.MenuItemConstructorOptions[]} */
  const own = process.platform === "darwin" ? [{ role: "appMenu" }] : [];
  const end = process.platform === "darwin" ? "close" : "quit";
  return Menu.buildFromTemplate([
    ...own,
    {
      label: "&File",
      submenu: [
        { label: "New window", accelerator: "CmdOrCtrl+N", click: () => openWindow() },
        { type: "separator" },
        { role: end },
      ],
    },
    { role: "editMenu" },
    { role: "viewMenu" },
    { role: "windowMenu" },
  ]);
}
