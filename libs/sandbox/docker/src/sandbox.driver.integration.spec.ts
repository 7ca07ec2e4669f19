import { describeSandboxDriver, hostLeftovers } from '@openscf/sandbox-api/conformance';
import { launchEngine, type Engine } from '@openscf/testing';
import Docker from 'dockerode';
import { afterAll, beforeAll } from 'vitest';
import { DriverNames } from './driver.names.js';
import { createDockerDriver } from './index.js';

let engine: Engine;
beforeAll(async () => {
  engine = await launchEngine();
});
afterAll(() => engine?.stop());

async function leftovers(owner: string): Promise<string[]> {
  const docker = new Docker({ socketPath: engine.socketPath });
  const { filters } = new DriverNames(owner);
  const containers = await docker.listContainers({ all: true, filters });
  const networks = await docker.listNetworks({ filters });
  return [
    ...containers.map(({ Names }) => `container ${Names.join(' ')}`),
    ...networks.map(({ Name }) => `network ${Name}`),
    ...(await hostLeftovers(owner)),
  ];
}

describeSandboxDriver('docker', {
  makeDriver: (options) => createDockerDriver(options, { socketPath: engine.socketPath }),
  leftovers,
  soakStarts: 12,
  driverModule: new URL('./index.ts', import.meta.url).href,
  factoryName: 'createDockerDriver',
  factoryArguments: () => [{ socketPath: engine.socketPath }],
});
