import { mkdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { ColdStart } from '@openscf/contracts';
import type { Frame } from '@openscf/framing';
import type { Sandbox, SandboxDriver, SandboxExit } from '@openscf/sandbox-api';
import { channelFrame, readFailure } from './channel.types.js';
import { InstanceChannel } from './instance-channel.js';
import type { InstancePlan } from './instance-plan.factory.js';
import type { BootFailure, BootOutcome, InstanceInvocation, InvocationEnd } from './instance.types.js';
import { OutputReader } from './output.reader.js';

/** From a started sandbox to the bootstrap's hello. Generous: it holds for a host that is short of everything. */
const RUNTIME_START_MS = 30_000;
/** An instance that has lost its channel is about to exit; this long its exit is waited for, to know how. */
const EXIT_AFTER_CHANNEL_MS = 1_000;
/** What is printed while no invocation runs is kept for the next one's log, up to this much. */
const MAX_WAITING_BYTES = 256 * 1024;

export interface InstanceDependencies {
  readonly driver: SandboxDriver;
  /** Gives the host folder of the code; `release` is called when the instance is gone. */
  readonly code: (
    plan: InstancePlan,
  ) => Promise<{ readonly directory: string; readonly release: () => void }>;
  /** Called once when the instance has ended by itself while it was idle. */
  readonly onLost: (instance: Instance, exit: SandboxExit) => void;
}

type State =
  | { readonly phase: 'creating' | 'initializing'; fail: (failure: BootFailure) => void }
  | { readonly phase: 'idle'; readonly since: number }
  | { readonly phase: 'busy'; readonly invocation: InstanceInvocation; readonly timer: NodeJS.Timeout }
  | { readonly phase: 'settling'; readonly end: InvocationEnd }
  | { readonly phase: 'destroying' | 'destroyed' };

/**
 * One running copy of one revision of a function, in its sandbox.
 *
 *     creating → initializing → idle ⇄ busy → settling → idle
 *     any → destroying → destroyed
 *
 * 1. It serves one invocation at a time; each ends exactly once and settles exactly once, in this order.
 * 2. An invocation that timed out, exited or left the process untrusted ends the instance: it is never idle again.
 * 3. `destroy` is idempotent; when it resolves, sandbox, channel and run folder are gone and the code is released.
 * 4. Lines that were printed before the result was sent reach `onLine` before the invocation settles. A bootstrap writes its
 *    lines before its result, so that after two more turns of the event loop the loop has polled the output once
 *    after it has polled the result, and what the pipe held has been read.
 * 5. Only an idle instance may be given work or be reaped. Both happen in one turn of the loop, so that they cannot race.
 */
export class Instance {
  /** Where lines go; without a receiver they wait for the next one. */
  private receiver: ((text: string) => void) | undefined;
  private waitingLines: string[] = [];
  private waitingBytes = 0;
  private state: State = { phase: 'creating', fail: () => undefined };
  private creating: Promise<Sandbox> | undefined;
  private sandbox: Sandbox | undefined;
  private channel: InstanceChannel | undefined;
  private output: OutputReader | undefined;
  private streamId = 0;
  private destroying: Promise<void> | undefined;
  private lastExit: SandboxExit | undefined;
  private coldStart: ColdStart | undefined;
  private releaseCode: () => void = () => undefined;
  /** The bootstrap's hello and its verdict on the handler, while it boots. */
  private readonly boots = { hello: () => undefined as void, ready: () => undefined as void };
  /** The most memory seen so far. */
  memoryBytes = 0;

  constructor(
    readonly plan: InstancePlan,
    private readonly dependencies: InstanceDependencies,
  ) {}

  get id(): string {
    return this.plan.id;
  }

  get phase(): State['phase'] {
    return this.state.phase;
  }

  /** When it became idle, in ms of the monotonic clock; undefined in other phases. */
  get idleSince(): number | undefined {
    return this.state.phase === 'idle' ? this.state.since : undefined;
  }

  /** Starts it. Never rejects. After a failure the instance is being destroyed. */
  async boot(): Promise<BootOutcome> {
    const startedAt = performance.now();
    const marks = { code: 0, runtime: 0, init: 0 };
    const failed = new Promise<BootFailure>((resolve) => {
      this.state = { phase: 'creating', fail: resolve };
    });
    const failure = await Promise.race([this.start(marks), failed]);
    this.coldStart = {
      reason: 'first',
      pooled: false,
      sandboxMs: 0,
      totalMs: performance.now() - startedAt,
      pullCodeMs: marks.code,
      initRuntimeMs: marks.runtime,
      initFunctionMs: marks.init,
    };
    if (failure === undefined) {
      this.state = { phase: 'idle', since: performance.now() };
      await this.sampleMemory();
      if (this.phase === 'idle') return { kind: 'ready' };
      const exit = this.lastExit;
      const ended: BootFailure = exit ? { kind: 'exited', exit, beforeHello: false } : { kind: 'destroyed' };
      return { kind: 'failed', failure: ended, coldStart: this.coldStart };
    }
    // It may fail before the driver has said that it runs.
    await this.creating?.catch(() => undefined);
    await this.linesDelivered();
    void this.destroy();
    return { kind: 'failed', failure, coldStart: this.coldStart };
  }

  /** What the cold start took; given once, to the first invocation. */
  takeColdStart(): ColdStart | undefined {
    const coldStart = this.coldStart;
    this.coldStart = undefined;
    return coldStart;
  }

  /** Sends lines to the receiver from now on; those that came while there was none first. */
  receiveLines(receiver: ((text: string) => void) | undefined): void {
    this.receiver = receiver;
    if (receiver === undefined) return;
    const waiting = this.waitingLines;
    this.waitingLines = [];
    this.waitingBytes = 0;
    for (const line of waiting) receiver(line);
  }

  /** Runs an invocation. To be called on an idle instance only. */
  invoke(invocation: InstanceInvocation): void {
    if (this.state.phase !== 'idle') throw new Error(`instance ${this.id} is ${this.state.phase}, not idle`);
    const timer = setTimeout(() => this.finish({ kind: 'timed-out' }), invocation.timeoutMs);
    this.state = { phase: 'busy', invocation, timer };
    this.streamId = (this.streamId + 1) >>> 0;
    this.channel?.send(channelFrame.invoke, this.streamId, invocation.head, invocation.event);
  }

  /** Reads the sandbox's memory and keeps the highest value. Never rejects. */
  async sampleMemory(): Promise<number> {
    try {
      const usage = await this.sandbox?.usage();
      this.memoryBytes = Math.max(this.memoryBytes, usage?.memoryPeakBytes ?? 0);
    } catch {
      // It has ended; the last value stands.
    }
    return this.memoryBytes;
  }

  /** See invariant 3. What runs in it ends as `destroyed`. */
  destroy(): Promise<void> {
    this.destroying ??= this.remove();
    return this.destroying;
  }

  private async start(marks: {
    code: number;
    runtime: number;
    init: number;
  }): Promise<BootFailure | undefined> {
    try {
      let since = performance.now();
      const lap = (): number => {
        const now = performance.now();
        const elapsed = now - since;
        since = now;
        return elapsed;
      };
      await this.openRunDirectory();
      const code = await this.dependencies.code(this.plan);
      this.releaseCode = code.release;
      marks.code = lap();
      if (this.destroying !== undefined) {
        code.release();
        return { kind: 'destroyed' };
      }
      const hello = new Promise<void>((resolve) => (this.boots.hello = resolve));
      const ready = new Promise<void>((resolve) => (this.boots.ready = resolve));
      this.creating = this.dependencies.driver.create(this.plan.sandbox(code.directory));
      this.adopt(await this.creating);
      if (!(await within(hello, RUNTIME_START_MS))) {
        return {
          kind: 'platform',
          message: `the runtime did not start within ${RUNTIME_START_MS / 1000} seconds`,
        };
      }
      marks.runtime = lap();
      if (this.state.phase === 'creating') this.state = { phase: 'initializing', fail: this.state.fail };
      const isReady = await within(ready, this.plan.state.initTimeoutMs);
      marks.init = lap();
      return isReady ? undefined : { kind: 'init-timed-out' };
    } catch (error) {
      return { kind: 'platform', message: error instanceof Error ? error.message : String(error) };
    }
  }

  private async openRunDirectory(): Promise<void> {
    const { runDirectory, handler, codeRoot, context } = this.plan;
    await mkdir(runDirectory, { recursive: true, mode: 0o755 });
    this.channel = await InstanceChannel.listen(join(runDirectory, 'channel.sock'), {
      onConnect: () => this.channel?.send(channelFrame.init, 0, { handler, codeRoot, context }),
      onFrame: (frame) => this.receive(frame),
      onClose: () => this.channelLost(),
    });
  }

  private adopt(sandbox: Sandbox): void {
    this.sandbox = sandbox;
    this.output = new OutputReader(sandbox.output, (text) => this.line(text));
    void sandbox.exited.then((exit) => this.exited(exit));
  }

  private line(text: string): void {
    if (this.receiver !== undefined) {
      this.receiver(text);
    } else if (this.waitingBytes + text.length <= MAX_WAITING_BYTES) {
      this.waitingBytes += text.length;
      this.waitingLines.push(text);
    }
  }

  private receive({ kind, streamId, head, body }: Frame): void {
    const { state } = this;
    if (state.phase === 'busy') {
      // The answer of another invocation, or a second one of this: the first was taken.
      if (streamId !== this.streamId) return;
      if (kind === channelFrame.result) this.finish({ kind: 'result', body });
      else if (kind === channelFrame.error) this.finish({ kind: 'failure', failure: readFailure(head) });
    } else if (state.phase === 'creating' || state.phase === 'initializing') {
      if (kind === channelFrame.hello) this.boots.hello();
      else if (kind === channelFrame.ready) this.boots.ready();
      else if (kind === channelFrame.initFailed)
        state.fail({ kind: 'init-failed', failure: readFailure(head) });
    }
  }

  private channelLost(): void {
    if (this.state.phase === 'destroying' || this.state.phase === 'destroyed') return;
    // It is over, and not because of the time.
    if (this.state.phase === 'busy') clearTimeout(this.state.timer);
    setTimeout(() => this.exited({ oomKilled: false }), EXIT_AFTER_CHANNEL_MS).unref();
  }

  private exited(exit: SandboxExit): void {
    const { state } = this;
    this.lastExit ??= exit;
    switch (state.phase) {
      case 'creating':
      case 'initializing':
        state.fail({ kind: 'exited', exit, beforeHello: state.phase === 'creating' });
        return;
      case 'busy':
        this.finish({ kind: 'exited', exit });
        return;
      case 'idle':
        void this.destroy();
        this.dependencies.onLost(this, exit);
        return;
      case 'settling':
        // `settle` sees it when it asks whether the instance may be used again.
        void this.destroy();
        return;
      case 'destroying':
      case 'destroyed':
        return;
    }
  }

  private finish(end: InvocationEnd): void {
    if (this.state.phase !== 'busy') return;
    const { invocation, timer } = this.state;
    clearTimeout(timer);
    this.state = { phase: 'settling', end };
    invocation.onEnd(end);
    setImmediate(() => setImmediate(() => this.settle(invocation, end)));
  }

  private settle(invocation: InstanceInvocation, end: InvocationEnd): void {
    this.output?.flush();
    const reusable = end.kind === 'result' || (end.kind === 'failure' && end.failure.recycle !== true);
    if (this.state.phase === 'settling') {
      if (reusable) this.state = { phase: 'idle', since: performance.now() };
      else void this.destroy();
    }
    invocation.onSettled();
  }

  /** See invariant 4. */
  private async linesDelivered(): Promise<void> {
    await new Promise<void>((resolve) => setImmediate(() => setImmediate(resolve)));
    this.output?.flush();
  }

  private async remove(): Promise<void> {
    const { state } = this;
    if (state.phase === 'busy') {
      this.finish({ kind: 'destroyed' });
    } else if (state.phase === 'creating' || state.phase === 'initializing') {
      state.fail({ kind: 'destroyed' });
    }
    this.state = { phase: 'destroying' };
    this.channel?.close();
    // What is being created must not outlive it. A destroy that failed is done again when the driver recovers.
    const sandbox = await this.creating?.catch(() => undefined);
    await sandbox?.destroy().catch(() => undefined);
    await rm(this.plan.runDirectory, { recursive: true, force: true }).catch(() => undefined);
    this.releaseCode();
    this.state = { phase: 'destroyed' };
  }
}

/** @returns false when the time was over first */
async function within(done: Promise<void>, timeoutMs: number): Promise<boolean> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<boolean>((resolve) => {
    timer = setTimeout(() => resolve(false), timeoutMs);
  });
  try {
    return await Promise.race([done.then(() => true), late]);
  } finally {
    clearTimeout(timer);
  }
}
