import { execFileSync } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text as readAll } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';
import { defineConfig, loadConfig } from '@openscf/config';
import { describeSandboxDriver, hostLeftovers, preparedRootfs } from '@openscf/sandbox-api/conformance';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { z } from 'zod';
import { createRuncDriver } from './index.js';
import { WRITE_BYTES_PER_SECOND } from './write-rate.js';

/** All of it: OPENSCF_SOAK_STARTS=3000 npx vitest run --project integration libs/sandbox/runc/src/native -t 'many starts' */
const { soakStarts } = loadConfig(
  defineConfig({
    soakStarts: {
      variable: 'OPENSCF_SOAK_STARTS',
      schema: z.coerce.number().int().positive(),
      default: '200',
      accepts: 'a number of starts',
    },
  }),
);

const folder = mkdtempSync(join(tmpdir(), 'openscf-launcher-'));
const launcherProgram = join(folder, 'launcher');
beforeAll(() => {
  const source = fileURLToPath(new URL('../../launcher', import.meta.url));
  const build = ['build', '-trimpath', '-ldflags=-s -w', '-o', launcherProgram, '.'];
  execFileSync('env', ['CGO_ENABLED=0', 'go', ...build], { cwd: source });
});
afterAll(() => rmSync(folder, { recursive: true }));

const minimalSpec = {
  command: ['/bin/sleep', '1000'] as [string, string],
  env: {},
  cwd: '/',
  mounts: [],
  limits: { memoryMb: 64, cpuShares: 128, pids: 16, openFiles: 64, tmpMb: 16 },
  network: 'none' as const,
  hostname: 'instance',
};

async function launchersOf(owner: string): Promise<number[]> {
  const lines = await hostLeftovers(owner);
  const found = lines.map((line) => /^process (\d+) .*launcher/.exec(line)?.[1]);
  return found.filter((pid) => pid !== undefined).map(Number);
}

describeSandboxDriver('native', {
  makeDriver: (options) => createRuncDriver(options, { launcherProgram }),
  leftovers: hostLeftovers,
  soakStarts,
  driverModule: new URL('./index.ts', import.meta.url).href,
  factoryName: 'createRuncDriver',
  factoryArguments: () => [{ launcherProgram }],
});

it('is the launcher that passed, not runc in its place', async () => {
  const owner = `native-${process.pid}`;
  const driver = createRuncDriver(
    { owner, relays: [], publicEgress: false, readyNetworks: 0 },
    { launcherProgram },
  );
  await driver.prepare();
  expect(driver.name).toBe('native');
  expect(driver.capabilities().sharedMounts).toBe(true);
  await driver.close();
});

it('ends its sandboxes when it is killed, and starts again for the next', async () => {
  const owner = `killed-launcher-${process.pid}`;
  const options = { owner, relays: [], publicEgress: false, readyNetworks: 0 };
  const driver = createRuncDriver(options, { launcherProgram });
  await driver.prepare();
  const runDirectory = mkdtempSync(join(folder, 'run-'));
  const spec = { ...minimalSpec, runDirectory, rootfs: await preparedRootfs() };
  const first = await driver.create({ ...spec, id: 'first' });
  const [launcher] = await launchersOf(owner);
  process.kill(launcher ?? 0, 'SIGKILL');
  expect(await first.exited).toEqual({ signal: 'SIGKILL', oomKilled: false });
  const second = await driver.create({ ...spec, id: 'second' });
  await Promise.all([first.destroy(), second.destroy()]);
  await driver.close();
  expect(await hostLeftovers(owner)).toEqual([]);
});

it('starts sixty at once, each with a file system of its own', async () => {
  const owner = `burst-${process.pid}`;
  const options = { owner, relays: [], publicEgress: false, readyNetworks: 0 };
  const driver = createRuncDriver(options, { launcherProgram });
  await driver.prepare();
  const rootfs = await preparedRootfs();
  const start = (index: number) =>
    driver.create({
      ...minimalSpec,
      id: `burst-${index}`,
      runDirectory: mkdtempSync(join(folder, 'run-')),
      rootfs,
    });
  const sandboxes = await Promise.all(Array.from({ length: 60 }, (_, index) => start(index)));
  await Promise.all(sandboxes.map((sandbox) => sandbox.destroy()));
  await driver.close();
  expect(await hostLeftovers(owner)).toEqual([]);
});

const RULES = '/sys/fs/cgroup/blkio/blkio.throttle.write_bps_device';
const rules = () => readFileSync(RULES, 'utf8').split('\n');
/** Another driver may have taken it by now. */
const isInUse = (device: string) => existsSync(`/sys/dev/block/${device}/loop/backing_file`);

it.skipIf(!existsSync(RULES))(
  'lets a sandbox write to /tmp at once, to the disk at a bounded rate, and leaves no rule behind',
  async () => {
    const owner = `writes-${process.pid}`;
    const options = { owner, relays: [], publicEgress: false, readyNetworks: 0 };
    const driver = createRuncDriver(options, { launcherProgram });
    await driver.prepare();
    const megabytes = 512;
    const write = `dd if=/dev/zero of=/tmp/file bs=1M count=${megabytes - 8} conv=fsync 2>/dev/null && mountpoint -d /tmp`;
    const limits = { ...minimalSpec.limits, tmpMb: megabytes };
    const sandbox = await driver.create({
      ...minimalSpec,
      id: 'writer',
      limits,
      command: ['/bin/sh', '-c', write],
      runDirectory: mkdtempSync(join(folder, 'run-')),
      rootfs: await preparedRootfs(),
    });
    const startedAt = performance.now();
    const [device] = await Promise.all([readAll(sandbox.output), sandbox.exited]);
    const leastMs = ((megabytes - 8) * 1024 * 1024 * 1000) / WRITE_BYTES_PER_SECOND;
    expect(rules()).toContain(`${device.trim()} ${WRITE_BYTES_PER_SECOND}`);
    // A first part goes through before the kernel begins to count.
    expect(performance.now() - startedAt).toBeGreaterThan(0.8 * leastMs);
    await sandbox.destroy();
    await driver.close();
    expect(rules().filter((rule) => rule.startsWith(`${device.trim()} `) && !isInUse(device.trim()))).toEqual(
      [],
    );
  },
);
