// `npm run status`: a table of what runs; exit code 0 only when all of it is healthy.
import { handOver } from './entry/hand-over.mjs';
import { fail } from './entry/talk.mjs';

try {
  process.exitCode = await handOver('status', process.argv.slice(2));
} catch (error) {
  fail(error);
}
