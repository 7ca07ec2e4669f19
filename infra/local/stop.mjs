// `npm stop`: ends a running platform and waits until it is gone.
import { handOver } from './entry/hand-over.mjs';
import { fail } from './entry/talk.mjs';

try {
  process.exitCode = await handOver('stop', process.argv.slice(2));
} catch (error) {
  fail(error);
}
