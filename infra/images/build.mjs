// `node infra/images/build.mjs`: makes the images of docker-compose.yml. Runs on any Node.js; the work is done by the one
// of node_modules, which reads TypeScript.
import { spawnSync } from 'node:child_process';
import { join } from 'node:path';

const root = join(import.meta.dirname, '../..');
const node = join(root, 'node_modules/.bin/node');
const { status, error } = spawnSync(node, [join(root, 'infra/local/src/images/build.ts')], {
  stdio: 'inherit',
});
if (error) console.error(`✘ ${node} cannot be run (${error.message}): run \`npm ci\` first.`);
process.exitCode = status ?? 1;
