import type { Readable } from 'node:stream';
import { SandboxError } from './sandbox.errors.js';
import { checkLateMounts, checkLimits, checkSpec } from './sandbox-spec.policy.js';
import type {
  Sandbox,
  SandboxCapabilities,
  SandboxDriver,
  SandboxExit,
  SandboxLimits,
  SandboxMount,
  SandboxSpec,
  SandboxUsage,
} from './sandbox.types.js';

const CREATE_TIMEOUT_MS = 30_000;

/**
 * Wraps every driver, so that drivers stay simple. It adds:
 * - checks of the specification before anything is made, ids that are unique among the living;
 * - a deadline for create: what comes to life after it is destroyed at once;
 * - one destroy per sandbox, however often and from wherever it is asked for, tried again when it failed;
 * - destroy on error: a sandbox whose limits or mounts could not be set is not left running with the wrong ones;
 * - close: no new sandboxes, all that live or are being made are destroyed before the driver closes.
 */
export class SafeSandboxDriver implements SandboxDriver {
  private readonly living = new Map<string, Promise<SafeSandbox>>();
  private closing: Promise<void> | undefined;

  constructor(
    private readonly inner: SandboxDriver,
    private readonly createTimeoutMs = CREATE_TIMEOUT_MS,
  ) {}

  get name(): string {
    return this.inner.name;
  }

  capabilities(): SandboxCapabilities {
    return this.inner.capabilities();
  }

  prepare(): Promise<void> {
    return this.inner.prepare();
  }

  recover(): Promise<void> {
    return this.inner.recover();
  }

  forgetRoot(rootfs: string): Promise<void> {
    return this.inner.forgetRoot(rootfs);
  }

  async create(spec: SandboxSpec): Promise<Sandbox> {
    checkSpec(spec);
    if (this.closing) throw new SandboxError('driver-closed', `Driver ${this.name} is closed`);
    if (this.living.has(spec.id))
      throw new SandboxError('invalid-spec', `id is "${spec.id}", which lives already; accepted: a new id`);
    const started = this.start(spec);
    this.living.set(spec.id, started);
    started.catch(() => this.living.delete(spec.id));
    return this.withDeadline(started, spec.id);
  }

  close(): Promise<void> {
    this.closing ??= this.destroyAll().then(() => this.inner.close());
    return this.closing;
  }

  private async start(spec: SandboxSpec): Promise<SafeSandbox> {
    const sandbox = await this.inner.create(spec);
    const lateTargets = this.capabilities().lateMounts ? (spec.lateTargets ?? []) : undefined;
    return new SafeSandbox(sandbox, lateTargets, () => this.living.delete(spec.id));
  }

  private async withDeadline(started: Promise<SafeSandbox>, id: string): Promise<Sandbox> {
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise<'late'>((resolve) => {
      timer = setTimeout(() => resolve('late'), this.createTimeoutMs);
    });
    const first = await Promise.race([started, late]).finally(() => clearTimeout(timer));
    if (first !== 'late') return first;
    started.then((sandbox) => sandbox.destroy()).catch(() => undefined);
    const message = `Sandbox ${id} did not start within ${this.createTimeoutMs} ms`;
    throw new SandboxError('start-timed-out', message, { info: { id } });
  }

  private async destroyAll(): Promise<void> {
    const starting = [...this.living.values()];
    await Promise.allSettled(starting.map(async (started) => (await started).destroy()));
  }
}

class SafeSandbox implements Sandbox {
  readonly id: string;
  readonly output: Readable;
  readonly exited: Promise<SandboxExit>;
  private destroying: Promise<void> | undefined;
  private readonly freeTargets: Set<string> | undefined;
  /** Destroy waits for it: what it makes must be undone. */
  private attaching: Promise<void> = Promise.resolve();

  constructor(
    private readonly inner: Sandbox,
    /** Undefined when the driver cannot mount late. */
    lateTargets: readonly string[] | undefined,
    private readonly onDestroyed: () => void,
  ) {
    this.id = inner.id;
    this.output = inner.output;
    this.exited = inner.exited;
    this.freeTargets = lateTargets && new Set(lateTargets);
  }

  async usage(): Promise<SandboxUsage> {
    this.refuseWhenGone();
    return this.inner.usage();
  }

  async setLimits(limits: Pick<SandboxLimits, 'memoryMb' | 'cpuShares' | 'cpus'>): Promise<void> {
    this.refuseWhenGone();
    checkLimits(limits);
    await this.orDestroy(this.inner.setLimits(limits));
  }

  async attach(mounts: readonly SandboxMount[]): Promise<void> {
    this.refuseWhenGone();
    const free = this.freeTargets;
    if (!free) throw new SandboxError('not-supported', 'This driver cannot mount into a running sandbox');
    checkLateMounts(mounts, free);
    for (const { target } of mounts) free.delete(target);
    const attached = this.inner.attach(mounts);
    this.attaching = attached.catch(() => undefined);
    await this.orDestroy(attached);
  }

  destroy(): Promise<void> {
    this.destroying ??= this.attaching
      .then(() => this.inner.destroy())
      .then(this.onDestroyed, (error: unknown) => {
        this.destroying = undefined;
        throw error;
      });
    return this.destroying;
  }

  private async orDestroy(change: Promise<void>): Promise<void> {
    try {
      await change;
    } catch (error) {
      await this.destroy();
      throw error;
    }
  }

  private refuseWhenGone(): void {
    if (this.destroying) throw new SandboxError('sandbox-gone', `Sandbox ${this.id} was destroyed`);
  }
}
