import { execFileSync, spawn, type ChildProcess } from 'node:child_process';
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { cpSync, existsSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync } from 'node:fs';
import { chmod, mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer, type AddressInfo, type Server } from 'node:net';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { FrameSocket, type Frame } from '@openscf/framing';
import { AgentRequest } from './agent-request.fake.js';

const SOURCES = fileURLToPath(new URL('.', import.meta.url));
/** What Go functions are built with. */
const GO_MODULE = ['start.go', 'function.go', 'wrap.go', 'messages/messages.go'].map((name) =>
  join(SOURCES, '../go/cloudfunction', name),
);
const KIND = { hello: 1, init: 2, ready: 3, initFailed: 4, invoke: 5, result: 6, error: 7, request: 8 };
const CONTEXT = {
  function_name: 'hello',
  function_version: '$LATEST',
  namespace: 'default',
  memory_limit_in_mb: 128,
  time_limit_in_ms: 3000,
  environment: '{"SCF_NAMESPACE":"default"}',
  tencentcloud_region: 'ap-guangzhou',
  tencentcloud_appid: '1250000000',
  tencentcloud_uin: '100000000001',
};

/** What a function failed of, as the agent reports it. */
export interface Failure {
  readonly reason: string;
  readonly message: string;
  readonly stackTrace: string;
  readonly recycle: boolean;
}

export type Answer = { readonly result: unknown } | { readonly failure: Failure };

/** A file of the function's code: its text, and its mode where that matters. */
export type CodeFile = string | { readonly text: string | Buffer; readonly mode: number };

/** Builds a Go program once for its sources. @returns the folder that holds it */
export function buildGo(sources: string, program: string, beside: readonly string[] = []): string {
  const hash = createHash('sha256');
  const names = readdirSync(sources, { recursive: true, encoding: 'utf8' }).sort();
  const files = names.filter((name) => /\.(go|mod|cjs|py)$/.test(name)).map((name) => join(sources, name));
  for (const file of [...files, ...GO_MODULE]) hash.update(file).update(readFileSync(file));
  const folder = join(tmpdir(), `openscf-go-${program}-${hash.digest('hex').slice(0, 16)}`);
  if (existsSync(folder)) return folder;
  const making = `${folder}-${process.pid}`;
  mkdirSync(making, { recursive: true });
  execFileSync('go', ['build', '-trimpath', '-ldflags', '-s -w', '-o', join(making, program), '.'], {
    cwd: sources,
    env: { ...process.env, CGO_ENABLED: '0' },
    stdio: ['ignore', 'ignore', 'inherit'],
  });
  for (const name of beside) cpSync(join(sources, name), join(making, name), { recursive: true });
  try {
    renameSync(making, folder);
  } catch {
    // Another run of the tests was faster.
    rmSync(making, { recursive: true });
  }
  return folder;
}

/** The agent as an instance has it. */
export function agentProgram(): string {
  return join(buildGo(SOURCES, 'agent', ['preload.cjs', 'python']), 'agent');
}

export async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, 'close');
  return port;
}

/** The agent as a plain process, with the invoker's end of its channel. */
export class AgentProcess {
  /** Standard output and error, of the agent and of what it runs. */
  output = '';
  exitCode: number | null | undefined;
  readonly requests = new Map<number, AgentRequest>();
  private readonly received: Frame[] = [];
  private waiters: (() => void)[] = [];
  private frames!: FrameSocket;
  private nextStreamId = 1;

  private constructor(
    readonly folder: string,
    private readonly server: Server,
    private readonly child: ChildProcess,
  ) {}

  get codeRoot(): string {
    return join(this.folder, 'code');
  }

  get pid(): number {
    return this.child.pid ?? 0;
  }

  /** Starts it with the files as the function's code; resolves after its hello. */
  static async start(mode: string, files: Record<string, CodeFile>): Promise<AgentProcess> {
    const folder = await mkdtemp(join(tmpdir(), 'openscf-agent-'));
    await mkdir(join(folder, 'code'));
    for (const [name, file] of Object.entries(files)) {
      const path = join(folder, 'code', name);
      const { text, mode: fileMode } = typeof file === 'string' ? { text: file, mode: 0o755 } : file;
      await mkdir(dirname(path), { recursive: true });
      await writeFile(path, text);
      await chmod(path, fileMode);
    }
    const channel = join(folder, 'channel.sock');
    const server = createServer().listen(channel);
    await once(server, 'listening');
    const env = { PATH: `${dirname(process.execPath)}:/usr/bin:/bin` };
    const child = spawn(agentProgram(), [mode, channel], { env, stdio: ['ignore', 'pipe', 'pipe'] });
    const agent = new AgentProcess(folder, server, child);
    agent.listen();
    await agent.next(KIND.hello);
    return agent;
  }

  /** Sends init; undefined when the function is ready, else why it is not. */
  async init(head: Record<string, unknown> = {}): Promise<Failure | undefined> {
    this.frames.send(KIND.init, 0, {
      handler: 'main',
      codeRoot: this.codeRoot,
      context: CONTEXT,
      environment: {},
      ...head,
    });
    const { kind, head: failed } = await this.next(KIND.ready, KIND.initFailed);
    return kind === KIND.ready ? undefined : (JSON.parse(failed.toString()) as Failure);
  }

  async invoke(event: unknown, head: Record<string, unknown> = {}): Promise<Answer> {
    const streamId = this.nextStreamId++;
    const body = Buffer.from(typeof event === 'string' ? event : JSON.stringify(event));
    this.frames.send(KIND.invoke, streamId, { request_id: `request-${streamId}`, ...head }, body);
    const answer = await this.next(KIND.result, KIND.error);
    if (answer.streamId !== streamId) throw new Error(`an answer to ${answer.streamId}, not ${streamId}`);
    if (answer.kind === KIND.error) return { failure: JSON.parse(answer.head.toString()) as Failure };
    return { result: JSON.parse(answer.body.toString()) as unknown };
  }

  /** Begins a request; its body is what `send` and `end` of it give. */
  request(method: string, target: string, headers: Record<string, string> = {}): AgentRequest {
    const streamId = this.nextStreamId++;
    const request = new AgentRequest(`request-${streamId}`, (kind, head, body) =>
      this.frames.send(kind, streamId, head, body),
    );
    this.requests.set(streamId, request);
    const lines = { Host: 'example.test', 'X-Scf-Request-Id': request.id, ...headers };
    this.frames.send(KIND.request, streamId, {
      request_id: request.id,
      method,
      target,
      headers: Object.entries(lines),
    });
    return request;
  }

  /** A request with a whole body, to the end of its response. */
  async fetch(
    method: string,
    target: string,
    headers: Record<string, string> = {},
    body?: string | Buffer,
  ): Promise<{ status: number; headers: Record<string, string>; body: string }> {
    const length: Record<string, string> =
      body === undefined ? {} : { 'Content-Length': String(Buffer.byteLength(body)) };
    const request = this.request(method, target, { ...length, ...headers });
    if (body !== undefined) await request.send(Buffer.from(body));
    request.end();
    const response = await request.response;
    return { ...response, body: (await request.body()).toString() };
  }

  /** Resolves when the condition holds; it is looked at whenever something was received or printed. */
  async until(condition: () => boolean): Promise<void> {
    while (!condition()) await new Promise<void>((resolve) => this.waiters.push(resolve));
  }

  /** Resolves with the exit code. */
  async exited(): Promise<number | null> {
    await this.until(() => this.exitCode !== undefined);
    return this.exitCode as number | null;
  }

  hangUp(): void {
    this.frames.destroy();
  }

  signal(name: NodeJS.Signals): void {
    this.child.kill(name);
  }

  async stop(): Promise<void> {
    this.child.kill('SIGKILL');
    if (this.exitCode === undefined) await this.exited();
    this.frames.destroy();
    this.server.close();
    await rm(this.folder, { recursive: true, force: true });
  }

  private listen(): void {
    for (const stream of [this.child.stdout, this.child.stderr]) {
      stream?.on('data', (chunk: Buffer) => {
        this.output += chunk.toString();
        this.wake();
      });
    }
    this.child.on('exit', (code) => {
      this.exitCode = code;
      this.wake();
    });
    this.server.on('connection', (socket) => {
      this.frames = new FrameSocket(socket, { onFrame: (frame) => this.receive(frame) });
    });
  }

  private async next(...kinds: number[]): Promise<Frame> {
    for (;;) {
      const at = this.received.findIndex((frame) => kinds.includes(frame.kind));
      if (at >= 0) return this.received.splice(at, 1)[0] as Frame;
      if (this.exitCode !== undefined)
        throw new Error(`exited with ${String(this.exitCode)}: ${this.output}`);
      await new Promise<void>((resolve) => this.waiters.push(resolve));
    }
  }

  private receive(frame: Frame): void {
    const request = this.requests.get(frame.streamId);
    if (request) request.receive(frame);
    else this.received.push(frame);
    this.wake();
  }

  private wake(): void {
    const waiters = this.waiters;
    this.waiters = [];
    for (const waiter of waiters) waiter();
  }
}
