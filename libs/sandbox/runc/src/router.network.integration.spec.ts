import { execFile } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, readdir, readFile } from 'node:fs/promises';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { promisify } from 'node:util';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { DriverPaths } from './driver-paths.js';
import { removeEverything } from './recovery.js';
import { BRIDGES, RouterNetwork } from './router.network.js';
import { SpawningHost } from './spawning.host.js';

const paths = new DriverPaths(`router-${process.pid}`);
let server: Server;
let router: RouterNetwork;

beforeAll(async () => {
  server = createServer((_request, response) => response.end('relayed')).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  await mkdir(paths.state, { recursive: true });
  const relay = { name: 'minio.openscf.internal', port: 9000, target: { host: '127.0.0.1', port } };
  router = new RouterNetwork(new SpawningHost(), paths, [relay], true);
  await router.open();
  await router.addInstances([0], 'egress');
});
afterAll(async () => {
  await router.close();
  await removeEverything(paths);
  server.close();
});

/** What an instance in the namespace would see. */
async function inInstance(program: string, ...args: string[]): Promise<string> {
  const inside = ['netns', 'exec', paths.networkNamespace(0), program, ...args];
  return promisify(execFile)('ip', inside).then(
    ({ stdout }) => stdout,
    () => 'failed',
  );
}

async function helpers(text: string): Promise<number[]> {
  const pids = (await readdir('/proc')).filter((name) => /^\d+$/.test(name)).map(Number);
  const lines = await Promise.all(
    pids.map((pid) => readFile(`/proc/${pid}/cmdline`, 'utf8').catch(() => '')),
  );
  return pids.filter((_pid, index) => lines[index]?.includes(text) && lines[index].includes(paths.router));
}

it('starts the relay again when it was killed', async () => {
  const ask = () => inInstance('curl', '-sS', '--max-time', '2', `http://${BRIDGES.egress.address}:9000/`);
  expect(await ask()).toBe('relayed');
  const before = await helpers('relay.');
  expect(before.length).toBeGreaterThan(0);
  before.forEach((pid) => process.kill(pid, 'SIGKILL'));
  await expect.poll(ask, { timeout: 15_000 }).toBe('relayed');
  expect(await helpers('relay.')).not.toEqual(before);
});

it('starts the way to the public network again when it was killed', async () => {
  const gatewayAnswers = async () => {
    await inInstance('curl', '-s', '--max-time', '1', 'http://198.18.0.2:1/');
    return inInstance('ip', 'neighbour', 'show', 'to', '198.18.0.2');
  };
  await expect.poll(gatewayAnswers, { timeout: 15_000 }).toContain('lladdr');
  const before = await helpers('slirp4netns');
  before.forEach((pid) => process.kill(pid, 'SIGKILL'));
  await inInstance('ip', 'neighbour', 'flush', 'all');
  await expect.poll(gatewayAnswers, { timeout: 15_000 }).toContain('lladdr');
  expect(await helpers('slirp4netns')).not.toEqual(before);
});
