import { execFile } from 'node:child_process';
import { mkdir, mkdtemp, readFile, rm } from 'node:fs/promises';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { homedir, tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll } from 'vitest';
import type {
  Sandbox,
  SandboxDriver,
  SandboxDriverOptions,
  SandboxExit,
  SandboxSpec,
} from '../sandbox.types.js';

/** What a driver gives to the suite. */
export interface ConformanceHarness {
  makeDriver(options: SandboxDriverOptions): SandboxDriver;
  /** Everything of this owner that is on the host, one line each; empty when there is nothing. */
  leftovers(owner: string): Promise<string[]>;
  /** How many starts are made to see what they leave behind. */
  soakStarts: number;
  /** URL of the module that exports `factoryName`, which is `makeDriver`: for an owner in another process. */
  driverModule: string;
  factoryName: string;
  /** What the factory gets after the options; asked while the suite runs. */
  factoryArguments?: () => unknown[];
}

export interface Outcome {
  exit: SandboxExit;
  output: string;
}

/** What the tests work with, while the suite runs. */
export interface Bench {
  driver: SandboxDriver;
  options: SandboxDriverOptions;
  /** A port of the host's loopback where an HTTP server answers `relayed`; the relay leads there. */
  hostPort: number;
  /** A folder of the host that is gone after the suite. */
  folder: string;
  /** A complete specification with a fresh id and run directory. */
  spec(changes?: Partial<SandboxSpec>): Promise<SandboxSpec>;
  create(changes: Partial<SandboxSpec>): Promise<Sandbox>;
  /** Runs a command to its end, and destroys the sandbox. */
  run(changes: Partial<SandboxSpec>): Promise<Outcome>;
  shell(script: string, changes?: Partial<SandboxSpec>): Promise<Outcome>;
  python(script: string, changes?: Partial<SandboxSpec>): Promise<Outcome>;
}

export const RELAY_NAME = 'minio.openscf.internal';
export const RELAY_PORT = 9000;
const PYTHON = '/usr/bin/python3.11';
const PREPARE_TIMEOUT_MS = 600_000;

export function shellCommand(script: string): [string, ...string[]] {
  return ['/bin/sh', '-c', script];
}

/** Makes the runtimes when they are not there yet, and tells the root file system. */
export async function preparedRootfs(): Promise<string> {
  const usual = await rootfsOf(join(homedir(), '.cache', 'openscf', 'runtimes'));
  if (usual) return usual;
  const program = new URL('../../../../../infra/runtimes/prepare.ts', import.meta.url).pathname;
  const { stdout } = await promisify(execFile)(process.execPath, [program]);
  const folder = /^runtimes: ready in (.+)$/m.exec(stdout)?.[1] ?? '';
  return (await rootfsOf(folder)) ?? '';
}

async function rootfsOf(folder: string): Promise<string | undefined> {
  const text = await readFile(join(folder, 'runtimes.json'), 'utf8').catch(() => '{}');
  return (JSON.parse(text) as { rootfs?: string }).rootfs;
}

export async function readAll(sandbox: Sandbox): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of sandbox.output) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks).toString();
}

function makeBench(): Bench & { rootfs: string } {
  let count = 0;
  const bench = {
    rootfs: '',
    folder: '',
    hostPort: 0,
    driver: undefined as unknown as SandboxDriver,
    options: undefined as unknown as SandboxDriverOptions,
    async spec(changes: Partial<SandboxSpec> = {}): Promise<SandboxSpec> {
      const id = `test-${(count += 1)}`;
      const runDirectory = join(bench.folder, id);
      await mkdir(runDirectory, { recursive: true });
      return {
        id,
        rootfs: bench.rootfs,
        command: ['/bin/true'],
        env: { PATH: '/usr/bin:/bin' },
        cwd: '/',
        mounts: [],
        runDirectory,
        limits: { memoryMb: 256, cpuShares: 512, pids: 256, openFiles: 1024, tmpMb: 64 },
        network: 'none',
        hostname: 'instance',
        ...changes,
      };
    },
    async create(changes: Partial<SandboxSpec>) {
      return bench.driver.create(await bench.spec(changes));
    },
    async run(changes: Partial<SandboxSpec>): Promise<Outcome> {
      const sandbox = await bench.create(changes);
      try {
        const [exit, output] = await Promise.all([sandbox.exited, readAll(sandbox)]);
        return { exit, output };
      } finally {
        await sandbox.destroy();
      }
    },
    shell: (script: string, changes?: Partial<SandboxSpec>) =>
      bench.run({ ...changes, command: shellCommand(script) }),
    python: (script: string, changes?: Partial<SandboxSpec>) =>
      bench.run({ ...changes, command: [PYTHON, '-I', '-S', '-c', script] }),
  };
  return bench;
}

/** One driver for the whole suite, with a server on the host's loopback behind its relay. */
export function useDriver(harness: ConformanceHarness): Bench {
  const bench = makeBench();
  let server: Server;
  beforeAll(async () => {
    bench.rootfs = await preparedRootfs();
    bench.folder = await mkdtemp(join(tmpdir(), 'openscf-conformance-'));
    server = createServer((_request, response) => response.end('relayed'));
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    bench.hostPort = (server.address() as AddressInfo).port;
    const target = { host: '127.0.0.1', port: bench.hostPort };
    bench.options = {
      owner: `conformance-${process.pid}`,
      relays: [{ name: RELAY_NAME, port: RELAY_PORT, target }],
      publicEgress: true,
      readyNetworks: 2,
    };
    bench.driver = harness.makeDriver(bench.options);
    await bench.driver.prepare();
  }, PREPARE_TIMEOUT_MS);
  afterAll(async () => {
    await bench.driver?.close();
    server?.close();
    await rm(bench.folder, { recursive: true, force: true });
  });
  return bench;
}
