import { PassThrough } from 'node:stream';
import { SandboxError } from './sandbox.errors.js';
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

/** What the next created sandbox does. Scripts are used up in order; without one a sandbox runs until it is destroyed. */
export interface FakeScript {
  /** `create` rejects with this. */
  createError?: Error;
  /** `create` never settles until the test calls `releaseCreate`. */
  createHangs?: boolean;
  /** `destroy` rejects with this, once. */
  destroyError?: Error;
  setLimitsError?: Error;
  attachError?: Error;
  usage?: SandboxUsage;
}

/** A sandbox that runs nothing: the test plays the part of the instance. */
export class FakeSandbox implements Sandbox {
  readonly id: string;
  readonly output = new PassThrough();
  readonly exited: Promise<SandboxExit>;
  limits: Partial<SandboxLimits>;
  readonly attached: SandboxMount[] = [];
  destroyed = false;
  private resolveExit!: (exit: SandboxExit) => void;

  constructor(
    readonly spec: SandboxSpec,
    private readonly script: FakeScript,
  ) {
    this.id = spec.id;
    this.limits = { ...spec.limits };
    this.exited = new Promise((resolve) => (this.resolveExit = resolve));
  }

  /** The instance ends by itself. */
  exit(exit: SandboxExit): void {
    this.resolveExit(exit);
    this.output.end();
  }

  async usage(): Promise<SandboxUsage> {
    if (this.destroyed) throw new SandboxError('sandbox-gone', `Sandbox ${this.id} was destroyed`);
    return this.script.usage ?? { memoryBytes: 32 << 20, memoryPeakBytes: 40 << 20, cpuMs: 12 };
  }

  async setLimits(limits: Partial<SandboxLimits>): Promise<void> {
    if (this.script.setLimitsError) throw this.script.setLimitsError;
    this.limits = { ...this.limits, ...limits };
  }

  async attach(mounts: readonly SandboxMount[]): Promise<void> {
    if (this.script.attachError) throw this.script.attachError;
    this.attached.push(...mounts);
  }

  async destroy(): Promise<void> {
    const { destroyError } = this.script;
    delete this.script.destroyError;
    if (destroyError) throw destroyError;
    this.destroyed = true;
    this.exit({ signal: 'SIGKILL', oomKilled: false });
  }
}

/** For the tests of a driver's users: nothing is started, failures are scripted, all sandboxes can be looked at. */
export class FakeSandboxDriver implements SandboxDriver {
  readonly name = 'fake';
  readonly sandboxes: FakeSandbox[] = [];
  readonly calls: string[] = [];
  lateMounts = true;
  private readonly scripts: FakeScript[] = [];
  private readonly held: (() => void)[] = [];

  script(...scripts: FakeScript[]): this {
    this.scripts.push(...scripts);
    return this;
  }

  get living(): FakeSandbox[] {
    return this.sandboxes.filter(({ destroyed }) => !destroyed);
  }

  /** Lets every create that hangs go on. */
  releaseCreate(): void {
    for (const release of this.held.splice(0)) release();
  }

  capabilities(): SandboxCapabilities {
    return {
      userNamespace: true,
      publicEgress: false,
      hostAddressesHidden: true,
      lateMounts: this.lateMounts,
      sharedMounts: true,
      typicalStartMs: 1,
    };
  }

  async create(spec: SandboxSpec): Promise<Sandbox> {
    this.calls.push(`create ${spec.id}`);
    const script = this.scripts.shift() ?? {};
    if (script.createHangs) await new Promise<void>((resolve) => this.held.push(resolve));
    if (script.createError) throw script.createError;
    const sandbox = new FakeSandbox(spec, script);
    this.sandboxes.push(sandbox);
    return sandbox;
  }

  async prepare(): Promise<void> {
    this.calls.push('prepare');
  }

  async recover(): Promise<void> {
    this.calls.push('recover');
  }

  async forgetRoot(rootfs: string): Promise<void> {
    this.calls.push(`forgetRoot ${rootfs}`);
  }

  async close(): Promise<void> {
    this.calls.push('close');
    await Promise.all(this.living.map((sandbox) => sandbox.destroy()));
  }
}
