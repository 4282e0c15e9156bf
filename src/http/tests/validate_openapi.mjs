// validate_openapi.mjs NODE_MODULES FILE
// FILE holds {document, samples: [{name, schema, value}]}: the document must be OpenAPI 3.1 by the judgement of
// @seriousme/openapi-schema-validator; every example in it, and every sample, must be valid by its schema (ajv).
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { pathToFileURL } from "node:url";

const require = createRequire(`${process.argv[2]}/`);
const { Validator } = await import(pathToFileURL(require.resolve("@seriousme/openapi-schema-validator")));
const Ajv = require("ajv/dist/2020.js").default;
const addFormats = require("ajv-formats").default;

const { document, samples } = JSON.parse(readFileSync(process.argv[3], "utf8"));
const faults = [];

const validator = new Validator({ strict: false });
const verdict = await validator.validate(structuredClone(document));
if (!verdict.valid) faults.push(`not OpenAPI: ${JSON.stringify(verdict.errors, null, 1)}`);
if (validator.version !== "3.1") faults.push(`version ${validator.version}`);

const ajv = new Ajv({ strict: false, allErrors: true });
addFormats(ajv);
ajv.addSchema({ $id: "api", components: document.components });
const at = (pointer) => `api#${pointer.replace(/^#/, "").split("/").map((step, i) => (i ? encodeURIComponent(step) : step)).join("/")}`;
let checked = 0;
function check(name, schema, value) {
  const absolute = JSON.parse(JSON.stringify(schema), (key, child) => (key === "$ref" ? at(child) : child));
  const validate = ajv.compile(absolute);
  checked += 1;
  if (!validate(value)) faults.push(`${name}: ${ajv.errorsText(validate.errors)}`);
}

function walk(node, where) {
  if (node === null || typeof node !== "object") return;
  if (node.schema && "example" in node) check(`${where}/example`, node.schema, node.example);
  if (node.schema) for (const [name, one] of Object.entries(node.examples ?? {})) check(`${where}/examples/${name}`, node.schema, one.value);
  for (const [name, child] of Object.entries(node)) if (name !== "example" && name !== "examples") walk(child, `${where}/${name}`);
}
walk(document.paths, "#/paths");
walk(document.components.responses, "#/components/responses");
walk(document.components.parameters, "#/components/parameters");
for (const [name, schema] of Object.entries(document.components.schemas)) if ("example" in schema) check(name, schema, schema.example);
for (const { name, schema, value } of samples) check(name, { $ref: `#/components/schemas/${schema}` }, value);

if (checked < 20) faults.push(`only ${checked} examples and samples were found`);
if (faults.length > 0) {
  console.error(faults.join("\n"));
  process.exit(1);
}
console.log(`${checked} examples and samples are valid`);
