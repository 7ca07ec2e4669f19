import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { randomUUID } from 'node:crypto';
import { expect, it } from 'vitest';
import { hostTraces } from './leftovers.js';

it('finds a process by a name that it was started with, until it has ended', async () => {
  const name = `traced-${randomUUID()}`;
  const child = spawn(process.execPath, ['-e', 'setInterval(() => {}, 60_000)', name]);
  await once(child, 'spawn');
  expect(await hostTraces([name])).toEqual([expect.stringContaining(`process ${child.pid}`)]);
  child.kill('SIGKILL');
  await once(child, 'exit');
  expect(await hostTraces([name])).toEqual([]);
});
