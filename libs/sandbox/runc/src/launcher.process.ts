import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { SandboxError, type SandboxMount } from '@openscf/sandbox-api';
import { cgroupFolders } from './cgroup.js';
import { HOST_ENV } from './host-command.js';
import type { Host, StartedProcess } from './host.types.js';
import type { SandboxPlan } from './native.plan.js';

/** One line of the launcher: an answer to the request `id`, or the end of a sandbox's first process. */
interface Line {
  id?: number;
  error?: string;
  text?: string;
  pid?: number;
  ended?: string;
  /** Absent when a signal ended it. */
  code?: number;
}

interface Waiting {
  resolve(line: Line): void;
  reject(error: SandboxError): void;
}

/**
 * The small process that does all of the host's work in place of this big one (libs/sandbox/launcher). Sandboxes are its
 * children: when it ends, the kernel kills them, and their ends are told. It is started again by the next request.
 */
export class LauncherProcess implements Host {
  private child: ChildProcess | undefined;
  private readonly waiting = new Map<number, Waiting>();
  private readonly running = new Map<string, (code: number | undefined) => void>();
  private lastId = 0;
  private closed = false;

  constructor(
    private readonly program: string,
    /** Carries the owner's name, so that recovery finds the process. */
    private readonly stateDirectory: string,
  ) {}

  /** Rejects where the kernel is too old for it. */
  async check(): Promise<void> {
    await this.ask({ do: 'check' });
  }

  async start(sandbox: SandboxPlan): Promise<StartedProcess> {
    const ended = new Promise<number | undefined>((resolve) => this.running.set(sandbox.id, resolve));
    try {
      const { pid = 0 } = await this.ask({ do: 'start', sandbox });
      return { pid, ended };
    } catch (error) {
      this.running.delete(sandbox.id);
      throw error;
    }
  }

  async command(program: string, args: readonly string[], input = ''): Promise<string> {
    const env = Object.entries(HOST_ENV).map(([name, value]) => `${name}=${value}`);
    const { text = '' } = await this.ask({ do: 'run', command: [program, ...args], input, env });
    return text;
  }

  async bind(mount: SandboxMount): Promise<void> {
    await this.ask({ do: 'mount', mount });
  }

  async unmount(path: string): Promise<void> {
    await this.ask({ do: 'unmount', path });
  }

  /** A copy of an image, mounted. */
  async mountScratch(template: string, image: string, target: string): Promise<void> {
    await this.ask({ do: 'scratch', scratch: { template, image, target } });
  }

  /** Removes all that is in a scratch file system. */
  async wipe(path: string): Promise<void> {
    await this.ask({ do: 'wipe', path });
  }

  async removeCgroup(path: string): Promise<void> {
    await this.ask({ do: 'remove-cgroup', paths: await cgroupFolders(path) });
  }

  async close(): Promise<void> {
    this.closed = true;
    const { child } = this;
    if (!child || child.exitCode !== null || child.signalCode !== null) return;
    child.stdin?.end();
    await once(child, 'exit');
  }

  private ask(request: Record<string, unknown>): Promise<Line> {
    if (this.closed) throw new SandboxError('driver-closed', 'The launcher has ended');
    const child = (this.child ??= this.open());
    const id = (this.lastId += 1);
    return new Promise((resolve, reject) => {
      this.waiting.set(id, { resolve, reject });
      child.stdin?.write(`${JSON.stringify({ id, ...request })}\n`);
    });
  }

  private open(): ChildProcess {
    // A group of its own: a signal from the terminal is for the driver's process, which then ends this one in order.
    const child = spawn(this.program, ['serve', this.stateDirectory], {
      env: HOST_ENV,
      stdio: ['pipe', 'pipe', 'inherit'],
      detached: true,
    });
    child.stdin.on('error', () => undefined);
    child.on('error', (error) => this.gone(error.message));
    child.on('close', () => this.gone('it ended'));
    createInterface({ input: child.stdout }).on('line', (line) => this.receive(JSON.parse(line) as Line));
    return child;
  }

  private receive(line: Line): void {
    if (line.ended !== undefined) {
      this.running.get(line.ended)?.(line.code);
      this.running.delete(line.ended);
      return;
    }
    const waiting = this.waiting.get(line.id ?? 0);
    this.waiting.delete(line.id ?? 0);
    if (line.error === undefined) waiting?.resolve(line);
    else waiting?.reject(new SandboxError('start-failed', line.error));
  }

  private gone(why: string): void {
    this.child = undefined;
    for (const { reject } of this.waiting.values())
      reject(new SandboxError('start-failed', `The launcher does not answer: ${why}`));
    this.waiting.clear();
    for (const resolve of this.running.values()) resolve(undefined);
    this.running.clear();
  }
}
