// Checks an OpenRPC document against the official meta schema: node check_openrpc.js FILE
"use strict";

const { readFileSync } = require("node:fs");
const { openrpcDocument } = require("@open-rpc/meta-schema");
const { jsonSchema } = require("@json-schema-tools/meta-schema");
const Ajv = require("ajv").default;

const ajv = new Ajv({ strict: false, allErrors: true, validateSchema: false, validateFormats: false });
ajv.addSchema(jsonSchema, "https://meta.json-schema.tools");
const check = ajv.compile(openrpcDocument);
if (!check(JSON.parse(readFileSync(process.argv[2], "utf8")))) {
  for (const { instancePath, message } of check.errors) console.log(`${instancePath} ${message}`);
  process.exitCode = 1;
}
