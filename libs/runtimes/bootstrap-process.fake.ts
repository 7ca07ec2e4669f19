import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readdirSync } from 'node:fs';
import { mkdir, mkdtemp, rename, rm, writeFile } from 'node:fs/promises';
import { createServer, type Server } from 'node:net';
import { homedir, tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { FrameSocket, type Frame } from '@openscf/framing';

const KINDS = ['', 'hello', 'init', 'ready', 'initFailed', 'invoke', 'result', 'error'];
const COMPILED = 14;
const CONTEXT = {
  function_name: 'hello',
  namespace: 'default',
  memory_limit_in_mb: 128,
  time_limit_in_ms: 3000,
};

/** What a bootstrap has sent. */
export interface Received {
  readonly kind: string;
  readonly streamId: number;
  readonly head: Record<string, unknown>;
  readonly body: string;
}

/** Host folder of the interpreters that the platform has prepared. */
export const prepared = join(
  process.env['OPENSCF_CACHE'] ?? join(homedir(), '.cache/openscf'),
  'runtimes/lang',
);

/** The interpreters of a language that are at hand: the machine's own, and those that the platform has prepared. */
export function interpreters(program: 'node' | 'python' | 'php' | 'java', own: readonly string[]): string[] {
  const folders = existsSync(prepared)
    ? readdirSync(prepared).filter((name) => new RegExp(`^${program}\\d+$`).test(name))
    : [];
  return [...own, ...folders.map((name) => join(prepared, name, 'bin', program))].filter((path) =>
    existsSync(path),
  );
}

async function fill(folder: string, files: Record<string, string | Buffer>): Promise<void> {
  await mkdir(folder, { recursive: true });
  for (const [name, content] of Object.entries(files)) {
    await mkdir(dirname(join(folder, name)), { recursive: true });
    await writeFile(join(folder, name), content);
  }
}

/** A bootstrap as a plain process, with the invoker's end of its channel. */
export class BootstrapProcess {
  /** Standard output and error. */
  output = '';
  exitCode: number | null | undefined;
  /** Files of a compile cache that it has sent until now. */
  readonly compiled = new Map<string, Buffer>();
  private readonly received: Received[] = [];
  private wake: () => void = () => undefined;
  private frames: FrameSocket | undefined;
  private nextStreamId = 1;

  private constructor(
    private readonly folder: string,
    private readonly server: Server,
    private readonly child: ChildProcess,
  ) {
    for (const stream of [child.stdout, child.stderr]) {
      stream?.on('data', (chunk: Buffer) => (this.output += chunk.toString()));
    }
    child.on('exit', (code) => {
      this.exitCode = code;
      this.wake();
    });
    server.on('connection', (socket) => {
      this.frames = new FrameSocket(socket, { onFrame: (frame) => this.receive(frame) });
    });
  }

  /** Starts it with the files as the function's code; resolves after its hello. */
  static async start(
    command: readonly string[],
    files: Record<string, string | Buffer>,
    variables: Record<string, string> = {},
  ): Promise<BootstrapProcess> {
    const folder = await mkdtemp(join(tmpdir(), 'openscf-instance-'));
    await fill(join(folder, 'code'), files);
    const channel = join(folder, 'channel.sock');
    const server = createServer().listen(channel);
    await once(server, 'listening');
    const [program = '', ...args] = command;
    const env = {
      PATH: '/usr/bin:/bin',
      PYTHONPATH: join(folder, 'code'),
      PYTHONDONTWRITEBYTECODE: 'x',
      ...variables,
    };
    const child = spawn(program, [...args, channel], { env, cwd: join(folder, 'code') });
    const started = new BootstrapProcess(folder, server, child);
    await started.next('hello');
    return started;
  }

  /** Where the code lies. */
  get codeRoot(): string {
    return join(this.folder, 'code');
  }

  /** Puts another folder in the place of the code's, as a mount does: whoever is in the old one stays there. */
  async attach(files: Record<string, string | Buffer>): Promise<void> {
    await rename(this.codeRoot, join(this.folder, 'before'));
    await fill(this.codeRoot, files);
  }

  /** Sends init and returns `ready` or `initFailed`. */
  init(
    handler: string,
    environment?: Record<string, string>,
    compileCache?: { read?: string },
  ): Promise<Received> {
    const { codeRoot } = this;
    this.frames?.send(2, 0, { handler, codeRoot, context: CONTEXT, environment, compileCache });
    return this.next('ready', 'initFailed');
  }

  invoke(event: unknown, head: Record<string, unknown> = {}): Promise<Received> {
    const body = Buffer.from(typeof event === 'string' ? event : JSON.stringify(event));
    this.frames?.send(
      5,
      this.nextStreamId++,
      { request_id: `request-${this.nextStreamId - 1}`, ...head },
      body,
    );
    return this.next('result', 'error');
  }

  /** Resolves when it has sent all of its compile cache, which is then written to the folder, as if this code lay at `codeRoot`. */
  async keepCompiled(folder: string, codeRoot: string): Promise<void> {
    await this.next('compiled');
    const here = [this.codeRoot, encodeURIComponent(this.codeRoot)] as const;
    const there = [codeRoot, encodeURIComponent(codeRoot)] as const;
    const files = [...this.compiled].map(([name, content]) => {
      const named = `/${name}`.replace(here[0], there[0]).replace(here[1], there[1]);
      return [named.slice(1), content] as const;
    });
    await fill(folder, Object.fromEntries(files));
  }

  /** Resolves with the exit code. */
  async exited(): Promise<number | null> {
    while (this.exitCode === undefined) await new Promise<void>((resolve) => (this.wake = resolve));
    return this.exitCode;
  }

  hangUp(): void {
    this.frames?.destroy();
  }

  async stop(): Promise<void> {
    this.child.kill('SIGKILL');
    this.frames?.destroy();
    this.server.close();
    await rm(this.folder, { recursive: true, force: true });
  }

  private async next(...kinds: string[]): Promise<Received> {
    for (;;) {
      const at = this.received.findIndex((frame) => kinds.includes(frame.kind));
      if (at >= 0) return this.received.splice(at, 1)[0] as Received;
      if (this.exitCode !== undefined)
        throw new Error(`exited with ${String(this.exitCode)}: ${this.output}`);
      await new Promise<void>((resolve) => (this.wake = resolve));
    }
  }

  private receive({ kind, streamId, head, body }: Frame): void {
    const parsed = JSON.parse(head.toString()) as Record<string, unknown>;
    if (kind === COMPILED && parsed['name'] !== undefined) {
      this.compiled.set(String(parsed['name']), Buffer.from(body));
      return;
    }
    this.received.push({
      kind: kind === COMPILED ? 'compiled' : (KINDS[kind] ?? String(kind)),
      streamId,
      head: parsed,
      body: body.toString(),
    });
    this.wake();
  }
}
