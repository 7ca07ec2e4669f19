import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describeSandboxDriver, hostLeftovers } from '@openscf/sandbox-api/conformance';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { createRuncDriver } from './index.js';

const folder = mkdtempSync(join(tmpdir(), 'openscf-launcher-'));
const launcherProgram = join(folder, 'launcher');
beforeAll(() => {
  const source = fileURLToPath(new URL('../../launcher', import.meta.url));
  const build = ['build', '-trimpath', '-ldflags=-s -w', '-o', launcherProgram, '.'];
  execFileSync('env', ['CGO_ENABLED=0', 'go', ...build], { cwd: source });
});
afterAll(() => rmSync(folder, { recursive: true }));

describeSandboxDriver('native', {
  makeDriver: (options) => createRuncDriver(options, { launcherProgram }),
  leftovers: hostLeftovers,
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
  await driver.close();
});
