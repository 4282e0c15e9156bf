// kubernetes.mjs READERS FILE...: checks every object of Kubernetes manifests against the schemas of its API version.
// READERS: the directory of scripts/readers.sh.
import fs from 'node:fs';
import { createRequire } from 'node:module';
import { pathToFileURL } from 'node:url';

const [readers, ...files] = process.argv.slice(2);
const require = createRequire(`${readers}/`);
const { parseAllDocuments } = require('yaml');
const models = `${readers}/node_modules/kubernetes-models`;

let failed = 0;
for (const file of files) {
  for (const document of parseAllDocuments(fs.readFileSync(file, 'utf8'))) {
    const object = document.toJS();
    if (object.kind === 'Kustomization') {
      for (const resource of object.resources) {
        if (!files.some((other) => other.endsWith(`/${resource}`))) throw new Error(`${file}: ${resource} is not there`);
      }
      continue;
    }
    try {
      const module = await import(pathToFileURL(`${models}/${object.apiVersion}/index.js`));
      new module[object.kind](object).validate();
    } catch (error) {
      console.log(`${file}: ${object.kind} ${object.metadata?.name}: ${error.message}`);
      failed = 1;
    }
  }
}
process.exit(failed);
