import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, readdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { shellCommand, type Bench, type ConformanceHarness } from './harness.conformance.js';

/** Lines about what all sandboxes share are there as long as the driver; these are about single sandboxes. */
const about = (lines: string[], id: string) => lines.filter((line) => new RegExp(`${id}(?!\\d)`).test(line));

/** An owner in a process of its own, with one sandbox that runs; resolves when it runs. */
async function startOwner(bench: Bench, harness: ConformanceHarness, owner: string): Promise<ChildProcess> {
  const program = new URL('./owner-process.ts', import.meta.url).pathname;
  const hooks = new URL('./source-hooks.mjs', import.meta.url).href;
  const spec = await bench.spec({ command: shellCommand('sleep 1000 & sleep 1000'), network: 'egress' });
  const args = [
    '--conditions=@openscf/source',
    '--experimental-transform-types',
    '--no-warnings',
    '--import',
    hooks,
  ];
  const setting = JSON.stringify({
    module: harness.driverModule,
    factory: harness.factoryName,
    more: harness.factoryArguments?.() ?? [],
    options: { ...bench.options, owner },
    spec,
  });
  const child = spawn(process.execPath, [...args, program, setting], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const ended = once(child, 'exit').then(() => Promise.reject(new Error('The owner process ended')));
  await Promise.race([once(child.stdout, 'data'), ended]);
  ended.catch(() => undefined);
  return child;
}

export function describeLifecycle(bench: Bench, harness: ConformanceHarness): void {
  describe('life cycle', () => {
    it('destroys what ignores signals, at once and completely', async () => {
      const sandbox = await bench.create({
        command: shellCommand('trap "" TERM INT HUP; echo up; (setsid sleep 1000 &) ; sleep 1000'),
        network: 'egress',
      });
      await new Promise((resolve) => sandbox.output.once('data', resolve));
      await sandbox.destroy();
      await sandbox.destroy();
      expect(await sandbox.exited).toEqual({ signal: 'SIGKILL', oomKilled: false });
      expect(about(await harness.leftovers(bench.options.owner), sandbox.id)).toEqual([]);
    });

    it('leaves nothing of a sandbox that could not start', async () => {
      const spec = await bench.spec({
        mounts: [{ source: '/not/there', target: '/var/user', readOnly: true }],
      });
      await expect(bench.driver.create(spec)).rejects.toMatchObject({ reason: 'start-failed' });
      expect(about(await harness.leftovers(bench.options.owner), spec.id)).toEqual([]);
      const { exit } = await bench.run({});
      expect(exit.exitCode).toBe(0);
    });

    it('keeps nothing of a root file system that is removed, and does not mind one that it has never seen', async () => {
      const rootfs = join(bench.folder, 'root-that-goes');
      await mkdir(rootfs);
      const kept = async () => {
        const folders = await readdir(`/run/openscf-${bench.options.owner}/roots`).catch(() => []);
        const mounts = await harness.leftovers(bench.options.owner);
        return [...folders, ...mounts.filter((line) => line.includes('root-that-goes'))].sort();
      };
      const before = await kept();
      const spec = await bench.spec({ rootfs });
      await expect(bench.driver.create(spec)).rejects.toMatchObject({ reason: 'start-failed' });
      for (let time = 0; time < 2; time += 1) await bench.driver.forgetRoot(rootfs);
      expect(await kept()).toEqual(before);
      await rm(rootfs, { recursive: true });
    });

    it('uses what it made ahead again: many starts add nothing to the host', async () => {
      const namespaces = async () =>
        (await harness.leftovers(bench.options.owner)).filter((line) => /namespace|network/.test(line))
          .length;
      const burst = () => Promise.all(Array.from({ length: 5 }, () => bench.run({ network: 'egress' })));
      await burst();
      const before = await namespaces();
      const rounds = Math.min(10, Math.ceil(harness.soakStarts / 5));
      for (let round = 0; round < rounds; round += 1) await burst();
      expect(await namespaces()).toBeLessThanOrEqual(before + 5);
    });

    it('refuses an owner that is in use, and recovers all of one that was killed', async () => {
      const owner = `killed-${process.pid}`;
      const child = await startOwner(bench, harness, owner);
      const next = harness.makeDriver({ ...bench.options, owner });
      await expect(next.recover()).rejects.toMatchObject({ reason: 'host-not-ready' });
      expect(await harness.leftovers(owner)).not.toEqual([]);
      child.kill('SIGKILL');
      await once(child, 'exit');
      await next.prepare();
      const sandbox = await next.create(await bench.spec({ command: ['/bin/true'] }));
      expect(await sandbox.exited).toMatchObject({ exitCode: 0 });
      await next.close();
      await expect.poll(() => harness.leftovers(owner), { timeout: 10_000 }).toEqual([]);
    });

    it('closes with everything destroyed, and takes no new work', async () => {
      const owner = `closing-${process.pid}`;
      const driver = harness.makeDriver({ ...bench.options, owner });
      await driver.prepare();
      const sandbox = await driver.create(
        await bench.spec({ command: ['/bin/sleep', '1000'], network: 'egress' }),
      );
      await driver.close();
      expect(await sandbox.exited).toMatchObject({ signal: 'SIGKILL' });
      await expect(driver.create(await bench.spec())).rejects.toMatchObject({ reason: 'driver-closed' });
      await expect.poll(() => harness.leftovers(owner), { timeout: 10_000 }).toEqual([]);
    });
  });
}
