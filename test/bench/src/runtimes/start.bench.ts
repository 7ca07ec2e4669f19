import { chmod, mkdir, mkdtemp, rm } from 'node:fs/promises';
import { createServer, type Server } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { FrameSocket, type Frame } from '@openscf/framing';
import type { Sandbox, SandboxDriver, SandboxSpec } from '@openscf/sandbox-api';
import { createRuncDriver } from '@openscf/sandbox-runc';
import type { Hello } from './hellos.ts';
import type { PreparedRuntime } from './manifest.types.ts';

/** One cold start, in ms from the moment the sandbox was asked for. */
export interface Start {
  /** As the bootstrap says. */
  version: string;
  helloMs: number;
  /** Until the handler may be called. */
  totalMs: number;
  /** The first invocation after it. */
  invokeMs: number;
  memoryMb: number;
}

const KIND = { hello: 1, init: 2, ready: 3, invoke: 5, result: 6 };
const TIMEOUT_MS = 30_000;
const LIMITS = { memoryMb: 512, cpuShares: 512, pids: 1024, openFiles: 1024, tmpMb: 512 };
const EVENT = Buffer.from('{"numbers":[1,2,3]}');
const CONTEXT = { function_name: 'hello', memory_limit_in_mb: 512, time_limit_in_ms: 30_000 };

export class StartBench {
  private count = 0;
  private readonly driver: SandboxDriver;
  private readonly folder: string;
  private readonly rootfs: string;

  private constructor(driver: SandboxDriver, folder: string, rootfs: string) {
    this.driver = driver;
    this.folder = folder;
    this.rootfs = rootfs;
  }

  static async open(rootfs: string): Promise<StartBench> {
    const driver = createRuncDriver({
      owner: 'runtimes-report',
      relays: [],
      publicEgress: false,
      readyNetworks: 2,
    });
    await driver.prepare();
    return new StartBench(driver, await mkdtemp(join(tmpdir(), 'openscf-report-')), rootfs);
  }

  async close(): Promise<void> {
    await this.driver.close();
    await rm(this.folder, { recursive: true, force: true });
  }

  /** The floor: a sandbox that does nothing, in ms from asking for it to its end. */
  async empty(): Promise<number> {
    const startedAt = performance.now();
    const sandbox = await this.driver.create(await this.spec(['/bin/true'], {}, []));
    sandbox.output.resume();
    await sandbox.exited;
    const took = performance.now() - startedAt;
    await sandbox.destroy();
    return took;
  }

  async start(runtime: PreparedRuntime, hello: Hello): Promise<Start> {
    const env = { ...runtime.env, SCF_RUNTIME: runtime.name };
    const code = { source: hello.code, target: '/var/user', readOnly: true };
    const spec = await this.spec(runtime.command, env, [...runtime.mounts, code]);
    const { runDirectory } = spec;
    const channel = new BenchChannel(runDirectory);
    await channel.listen();
    const startedAt = performance.now();
    const sandbox = await this.driver.create(spec);
    const output = collect(sandbox);
    try {
      return await measure(channel, hello, startedAt, sandbox);
    } catch (error) {
      throw new Error(`${runtime.name}: ${String(error)}\n${output()}`);
    } finally {
      channel.close();
      await sandbox.destroy();
      await rm(runDirectory, { recursive: true, force: true });
    }
  }

  private async spec(
    command: SandboxSpec['command'],
    env: SandboxSpec['env'],
    mounts: SandboxSpec['mounts'],
  ): Promise<SandboxSpec> {
    const id = `report-${(this.count += 1)}`;
    const runDirectory = join(this.folder, id);
    await mkdir(runDirectory);
    const { rootfs } = this;
    const place = { id, hostname: id, rootfs, runDirectory, cwd: '/var/user' };
    return { ...place, command, env, mounts, limits: LIMITS, network: 'none' };
  }
}

async function measure(
  channel: BenchChannel,
  hello: Hello,
  startedAt: number,
  sandbox: Sandbox,
): Promise<Start> {
  const greeting = await channel.next(KIND.hello);
  const { version } = JSON.parse(greeting.head.toString()) as { version?: string };
  const helloAt = performance.now();
  channel.send(KIND.init, {
    handler: hello.handler,
    codeRoot: '/var/user',
    context: CONTEXT,
    environment: {},
  });
  await channel.next(KIND.ready);
  const readyAt = performance.now();
  channel.send(KIND.invoke, { request_id: 'report' }, EVENT);
  await channel.next(KIND.result);
  const resultAt = performance.now();
  const { memoryBytes } = await sandbox.usage();
  return {
    version: version ?? '',
    helloMs: helloAt - startedAt,
    totalMs: readyAt - startedAt,
    invokeMs: resultAt - readyAt,
    memoryMb: memoryBytes / 2 ** 20,
  };
}

function collect(sandbox: Sandbox): () => string {
  let text = '';
  sandbox.output.on('data', (chunk: Buffer) => (text = (text + chunk.toString()).slice(-4000)));
  return () => text;
}

/** The invoker's end of the channel, with one frame waited for at a time. */
class BenchChannel {
  private readonly server: Server;
  private frames: FrameSocket | undefined;
  private readonly received: Frame[] = [];
  private wake: () => void = () => undefined;

  private readonly runDirectory: string;

  constructor(runDirectory: string) {
    this.runDirectory = runDirectory;
    this.server = createServer((socket) => {
      this.frames = new FrameSocket(socket, {
        onFrame: (frame) => {
          this.received.push({ ...frame, head: Buffer.from(frame.head), body: Buffer.from(frame.body) });
          this.wake();
        },
      });
    });
  }

  async listen(): Promise<void> {
    const path = join(this.runDirectory, 'channel.sock');
    await new Promise<void>((resolve) => this.server.listen(path, resolve));
    await chmod(path, 0o666);
  }

  send(kind: number, head: Record<string, unknown>, body?: Buffer): void {
    this.frames?.send(kind, kind === KIND.invoke ? 1 : 0, head, body);
  }

  async next(kind: number): Promise<Frame> {
    const deadline = performance.now() + TIMEOUT_MS;
    for (;;) {
      const frame = this.received.shift();
      if (frame?.kind === kind) return frame;
      if (frame !== undefined) throw new Error(`instead of ${kind}: ${frame.kind} ${frame.head.toString()}`);
      if (performance.now() > deadline) throw new Error(`no frame of kind ${kind} in ${TIMEOUT_MS} ms`);
      await new Promise<void>((resolve) => {
        const timer = setTimeout(resolve, 1_000);
        this.wake = () => {
          clearTimeout(timer);
          resolve();
        };
      });
    }
  }

  close(): void {
    this.frames?.destroy();
    this.server.close();
  }
}
