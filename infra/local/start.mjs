// `npm start`. Plain JavaScript for Node.js 20 without a dependency: it must run before `npm ci` ever has.
// Order: what the machine lacks → node_modules → the launcher proper, which runs on the Node.js that npm brought.
import { checkMachine } from './entry/machine.mjs';
import { handOver } from './entry/hand-over.mjs';
import { installModules } from './entry/modules.mjs';
import { fail } from './entry/talk.mjs';

try {
  await checkMachine(process.env);
  await installModules();
  process.exitCode = await handOver('start', process.argv.slice(2));
} catch (error) {
  fail(error);
}
