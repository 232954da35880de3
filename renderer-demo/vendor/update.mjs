// Writes the vendored files from installed packages: node update.mjs NODE_MODULES [TARGET]
import { copyFileSync, readFileSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

const [packages, target = dirname(fileURLToPath(import.meta.url))] = process.argv.slice(2);
if (packages === undefined) {
  console.error("usage: node update.mjs NODE_MODULES [TARGET]");
  process.exit(2);
}

const MODULES = {
  "preact.js": "preact/dist/preact.mjs",
  "hooks.js": "preact/hooks/dist/hooks.mjs",
  "htm.js": "htm/dist/htm.mjs",
  "dagre.js": "@dagrejs/dagre/dist/dagre.esm.js",
};
const FONTS = {
  "inter.woff2": "@fontsource-variable/inter/files/inter-latin-wght-normal.woff2",
};
const LICENCES = {
  "LICENSE.preact": "preact/LICENSE",
  "LICENSE.htm": "htm/LICENSE",
  "LICENSE.dagre": "@dagrejs/dagre/LICENSE",
  "LICENSE.inter": "@fontsource-variable/inter/LICENSE",
};

for (const [name, source] of Object.entries(MODULES)) {
  const text = readFileSync(join(packages, source), "utf8")
    .replace(/\n\/\/# sourceMappingURL=.*\s*$/, "\n")
    .replaceAll('from"preact"', 'from"./preact.js"');
  writeFileSync(join(target, name), text);
}
for (const [name, source] of Object.entries({ ...FONTS, ...LICENCES })) {
  copyFileSync(join(packages, source), join(target, name));
}
