import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Sandbox, SandboxDriver, SandboxSpec } from '@openscf/sandbox-api';
import { eventually } from '@openscf/testing';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { imageName } from './driver.names.js';
import { FakeEngine } from './engine.fake.js';
import { createDockerDriver } from './index.js';

describe('the Docker driver and an engine that', () => {
  let engine: FakeEngine;
  let folder: string;
  beforeEach(async () => {
    engine = new FakeEngine();
    await engine.listen();
    folder = await mkdtemp(join(tmpdir(), 'openscf-docker-driver-'));
  });
  afterEach(async () => {
    await engine.close();
    await rm(folder, { recursive: true });
  });

  const makeDriver = (requestTimeoutMs = 5_000): SandboxDriver => {
    const options = { owner: 'fake', relays: [], publicEgress: false, readyNetworks: 0 };
    return createDockerDriver(options, { socketPath: engine.socketPath, requestTimeoutMs });
  };
  const start = (driver: SandboxDriver): Promise<Sandbox> => {
    const spec: SandboxSpec = {
      id: 'one',
      rootfs: '/rootfs',
      command: ['/bin/true'],
      env: {},
      cwd: '/',
      mounts: [],
      runDirectory: folder,
      limits: { memoryMb: 64, cpuShares: 512, pids: 16, openFiles: 64, tmpMb: 8 },
      network: 'none',
      hostname: 'instance',
    };
    return driver.create(spec);
  };

  it('is slow to take the question for an end: what ends at once is seen all the same', async () => {
    Object.assign(engine.script, { waitTakenAfterMs: 50, endsAtOnce: true });
    const sandbox = await start(makeDriver());
    expect(await sandbox.exited).toEqual({ exitCode: 0, oomKilled: false });
    await sandbox.destroy();
    expect(engine.isEmpty).toBe(true);
  });

  it('cuts the connection while a sandbox runs: the end is seen nevertheless', async () => {
    const sandbox = await start(makeDriver());
    engine.forgetWatchers();
    engine.end(7);
    expect(await sandbox.exited).toEqual({ exitCode: 7, oomKilled: false });
    await sandbox.destroy();
  });

  it('has an image of a root file system that goes: the image is removed', async () => {
    const driver = makeDriver();
    await (await start(driver)).destroy();
    await driver.forgetRoot('/rootfs');
    expect(engine.removedImages).toEqual([imageName('/rootfs')]);
  });

  it('cannot start a container: nothing is asked of it any more', async () => {
    engine.script.silentAbout = '/start';
    await expect(start(makeDriver(200))).rejects.toMatchObject({ reason: 'engine-timed-out' });
    await eventually(() => engine.isEmpty);
  });

  it('does not answer: the request is given up, and named', async () => {
    const driver = makeDriver(200);
    const sandbox = await start(driver);
    engine.script.silentAbout = '/stats';
    await expect(sandbox.usage()).rejects.toMatchObject({
      reason: 'engine-timed-out',
      message: 'The Docker engine did not answer GET /containers/c1/stats within 200 ms',
    });
    engine.script.silentAbout = '/kill';
    await expect(sandbox.destroy()).rejects.toThrow('did not answer POST /containers/c1/kill');
    engine.script.silentAbout = undefined;
    await sandbox.destroy();
    expect(engine.isEmpty).toBe(true);
  });
});
