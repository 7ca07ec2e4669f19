import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readFileSync } from 'node:fs';
import { expect, it, vi } from 'vitest';
import { giveWay } from './give-way.ts';

it.skipIf(!existsSync('/proc/self/autogroup'))(
  'gives a process the lowest priority until the others have started, also when they fail',
  async () => {
    const running = spawn('/bin/sleep', ['60'], { detached: true, stdio: 'ignore' });
    await once(running, 'spawn');
    const pid = running.pid ?? 0;
    const priority = () => /nice (\S+)/.exec(readFileSync(`/proc/${pid}/autogroup`, 'utf8'))?.[1];
    for (const settle of ['resolve', 'reject'] as const) {
      const started = Promise.withResolvers<void>();
      const done = giveWay(pid, started.promise);
      await vi.waitFor(() => expect(priority()).toBe('19'));
      started[settle]();
      await done;
      expect(priority()).toBe('0');
    }
    running.kill();
  },
);

it('does not mind a process that has ended', async () => {
  await giveWay(2 ** 30, Promise.resolve());
});
