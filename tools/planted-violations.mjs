/**
 * Proves that the boundary rules are awake: each planted violation must be refused. Without Nx's project graph the rule
 * is silent and everything passes, so this runs with the lint target, in the same environment.
 */
import { ESLint } from 'eslint';

const planted = [
  {
    what: 'an app imports an app',
    file: 'apps/gateway/src/planted.ts',
    code: "import '../../log/src/main.js';",
  },
  { what: 'kafkajs outside libs/bus', file: 'apps/scheduler/src/planted.ts', code: "import 'kafkajs';" },
  { what: 'pg outside libs/persistence', file: 'libs/bus/src/planted.ts', code: "import 'pg';" },
  { what: 'contracts import a lib', file: 'libs/contracts/src/planted.ts', code: "import '@openscf/bus';" },
  {
    what: 'a driver imports a driver',
    file: 'libs/sandbox/runc/src/planted.ts',
    code: "import '@openscf/sandbox-docker';",
  },
  {
    what: 'process.env outside libs/config',
    file: 'apps/log/src/planted.ts',
    code: 'console.log(process.env.HOME);',
  },
];

const eslint = new ESLint();
const passed = [];
for (const { what, file, code } of planted) {
  const [result] = await eslint.lintText(code, { filePath: file });
  if (!result || result.errorCount === 0) passed.push(`${what} (${file}: ${code})`);
}
if (passed.length > 0) {
  console.error(`Lint lets these violations through:\n  ${passed.join('\n  ')}`);
  process.exit(1);
}
console.log(`${planted.length} planted violations refused`);
