import type { ColdReason, ColdStart } from '@openscf/contracts';
import type { Frame, FrameHead } from '@openscf/framing';
import type { SandboxExit } from '@openscf/sandbox-api';
import { channelFrame, readFailure, type RuntimeFailure } from './channel.types.js';
import { EventRun } from './event-run.js';
import { InstanceBoot, type BootDependencies } from './instance-boot.js';
import type { InstancePlan } from './instance-plan.factory.js';
import type { InstanceProcess } from './instance-process.js';
import type {
  BootFailure,
  BootOutcome,
  BootTurn,
  InstanceFiles,
  InstanceInvocation,
  InstanceStream,
  InvocationEnd,
  StreamReceiver,
} from './instance.types.js';

export interface InstanceDependencies extends BootDependencies {
  /** Called once when the instance has ended by itself while it was idle. */
  readonly onLost: (instance: Instance, exit: SandboxExit) => void;
}

type State =
  | { readonly phase: 'creating' | 'initializing'; fail: (failure: BootFailure) => void }
  | { readonly phase: 'serving' | 'draining' | 'destroying' | 'destroyed' };

/** The longest wait for a first look at the memory: an engine may take a second where a file of the kernel takes a moment. */
const FIRST_MEMORY_WAIT_MS = 100;
/** Frames that nobody waits for, after a request was begun: late ones of a request that was given up are few. */
const MOST_STRAY_FRAMES = 10_000;
/** From an agent's word that the program has exited to its own exit. */
const EXIT_AFTER_WORD_MS = 1_000;

/**
 * One running copy of one revision of a function, in its process.
 *
 *     creating → initializing → serving (n requests, 0: idle) → draining (m < n requests) → destroying → destroyed
 *     any → destroying → destroyed
 *
 * A request is a stream of frames on the channel. It is open until its end is known, then settles until its lines are in.
 *
 * 1. Streams are opened while it serves, at most as many at once as its owner gives out; each settles once.
 * 2. Where the end of a request leaves the process untrusted, or the process has ended, no stream is opened any more; when
 *    the last one has settled it is destroyed. It never serves again.
 * 3. `destroy` is idempotent; when it resolves the process is gone and the files are released. What is open is told.
 * 4. Lines that were printed before the end of a request reach their receiver before it settles (`InstanceProcess.linesDelivered`).
 * 5. Only an instance without streams may be reaped; giving work and reaping each happen in one turn of the loop, so that
 *    they cannot race.
 */
export class Instance {
  private state: State = { phase: 'creating', fail: () => undefined };
  private process: InstanceProcess | undefined;
  private files: InstanceFiles | undefined;
  private readonly streams = new Map<number, StreamReceiver>();
  private lastStreamId = 0;
  private settling = 0;
  private strayFrames = 0;
  private freeSince = 0;
  private destroying: Promise<void> | undefined;
  private lastExit: SandboxExit | undefined;
  private coldStart: ColdStart | undefined;
  /** Of a program that has exited before it was ready. */
  private lastWords: RuntimeFailure | undefined;
  private sayReady: () => void = () => undefined;
  /** The most memory seen so far. */
  memoryBytes = 0;

  constructor(
    readonly plan: InstancePlan,
    private readonly dependencies: InstanceDependencies,
  ) {}

  get id(): string {
    return this.process?.id ?? this.plan.id;
  }

  get phase(): string {
    if (this.state.phase !== 'serving') return this.state.phase;
    return this.load === 0 ? 'idle' : 'busy';
  }

  /** May it be given a request? */
  get usable(): boolean {
    return this.state.phase === 'serving' && this.process?.isReachable === true;
  }

  /** When it became idle, in ms of the monotonic clock; undefined in other phases. */
  get idleSince(): number | undefined {
    return this.phase === 'idle' ? this.freeSince : undefined;
  }

  /** Starts it. Never rejects. After a failure the instance is being destroyed. */
  async boot(reason: ColdReason, turn: BootTurn): Promise<BootOutcome> {
    const failed = new Promise<BootFailure>((resolve) => {
      this.state = { phase: 'creating', fail: resolve };
    });
    const ready = new Promise<void>((resolve) => (this.sayReady = resolve));
    const boot = new InstanceBoot(this.plan, this.dependencies, {
      onFiles: (files) => this.hold(files),
      onProcess: (process) => this.adopt(process),
      onRuntime: () => {
        if (this.state.phase === 'creating') this.state = { phase: 'initializing', fail: this.state.fail };
      },
    });
    const failure = await Promise.race([boot.run(ready, turn), failed]);
    this.coldStart = boot.coldStart(reason);
    if (failure !== undefined) {
      await this.process?.linesDelivered();
      void this.destroy();
      return { kind: 'failed', failure, coldStart: this.coldStart };
    }
    this.state = { phase: 'serving' };
    this.freeSince = performance.now();
    await Promise.race([this.sampleMemory(), after(FIRST_MEMORY_WAIT_MS)]);
    if (this.phase === 'idle') return { kind: 'ready' };
    const exit = this.lastExit;
    const ended: BootFailure = exit ? { kind: 'exited', exit, beforeHello: false } : { kind: 'destroyed' };
    return { kind: 'failed', failure: ended, coldStart: this.coldStart };
  }

  /** What the cold start took; given once, to the first request. */
  takeColdStart(): ColdStart | undefined {
    const { coldStart } = this;
    this.coldStart = undefined;
    return coldStart;
  }

  /** Sends lines to the receiver from now on; those that came while there was none first. */
  receiveLines(receiver: ((text: string) => void) | undefined): void {
    this.process?.lines.receive(receiver);
  }

  /** Runs an invocation of an event function. @throws when the instance takes no requests */
  invoke(invocation: InstanceInvocation): void {
    const run = new EventRun(invocation);
    run.begin(this.openStream(run));
  }

  /** @throws when the instance takes no requests */
  openStream(receiver: StreamReceiver): InstanceStream {
    if (this.state.phase !== 'serving')
      throw new Error(`instance ${this.id} is ${this.phase} and takes no requests`);
    const streamId = (this.lastStreamId = (this.lastStreamId + 1) >>> 0);
    this.streams.set(streamId, receiver);
    this.strayFrames = 0;
    return new ChannelStream(streamId, this.process, (recycle, done) => this.close(streamId, recycle, done));
  }

  /** Reads the sandbox's memory and keeps the highest value. Never rejects. */
  async sampleMemory(): Promise<number> {
    try {
      const usage = await this.process?.usage();
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

  private get load(): number {
    return this.streams.size + this.settling;
  }

  private hold(files: InstanceFiles): boolean {
    if (this.destroying !== undefined) return false;
    this.files = files;
    return true;
  }

  private adopt(process: InstanceProcess): void {
    this.process = process;
    process.onFrame = (frame) => this.receive(frame);
    void process.ended.then((exit) => this.exited(exit));
    if (this.destroying !== undefined) void process.destroy();
  }

  /** An agent says that the program has exited before it does: why is known a moment later, from the sandbox. */
  private receive(frame: Frame): void {
    const { process } = this;
    const mayTell = frame.kind === channelFrame.error || frame.kind === channelFrame.initFailed;
    if (!mayTell || process === undefined || readFailure(frame.head).reason !== 'exited') {
      this.deliver(frame);
      return;
    }
    if (frame.kind === channelFrame.initFailed) this.lastWords = readFailure(frame.head);
    void Promise.race([process.ended, after(EXIT_AFTER_WORD_MS)]).then(() => this.deliver(frame));
  }

  private deliver({ kind, streamId, head, body }: Frame): void {
    const { state } = this;
    const receiver = this.streams.get(streamId);
    // What comes for a stream that is closed already is nobody's; who sends such without end is no bootstrap.
    if (receiver === undefined && ++this.strayFrames > MOST_STRAY_FRAMES) this.process?.giveUp();
    if (kind === channelFrame.compiled) {
      this.files?.onCompiled?.(head, body);
    } else if (state.phase === 'serving' || state.phase === 'draining') {
      receiver?.onFrame(kind, head, body);
    } else if (state.phase === 'creating' || state.phase === 'initializing') {
      if (kind === channelFrame.ready) this.sayReady();
      else if (kind === channelFrame.initFailed)
        state.fail({ kind: 'init-failed', failure: readFailure(head) });
    }
  }

  private exited(exit: SandboxExit): void {
    const { state } = this;
    this.lastExit ??= exit;
    if (state.phase === 'creating' || state.phase === 'initializing') {
      const { lastWords } = this;
      if (lastWords !== undefined && !exit.oomKilled) state.fail({ kind: 'init-failed', failure: lastWords });
      else state.fail({ kind: 'exited', exit, beforeHello: this.process?.saidHello !== true });
    } else if (state.phase === 'serving' || state.phase === 'draining') {
      const wasIdle = this.load === 0;
      this.state = { phase: 'draining' };
      this.tellGone({ kind: 'exited', exit });
      if (!wasIdle) return;
      void this.destroy();
      this.dependencies.onLost(this, exit);
    }
  }

  private tellGone(end: Extract<InvocationEnd, { kind: 'exited' | 'destroyed' }>): void {
    for (const receiver of [...this.streams.values()]) receiver.onGone(end);
  }

  private close(streamId: number, recycle: boolean, done: () => void): void {
    if (!this.streams.delete(streamId)) return;
    this.settling++;
    if (recycle && this.state.phase === 'serving') this.state = { phase: 'draining' };
    this.process?.hurryLines(true);
    // Two turns: see invariant 4. On the path of every answer, so without a promise.
    setImmediate(() =>
      setImmediate(() => {
        this.process?.hurryLines(false);
        // What another request has begun to print goes on.
        if (this.streams.size === 0) this.process?.flush();
        this.settling--;
        this.settled();
        done();
      }),
    );
  }

  private settled(): void {
    if (this.load > 0) return;
    if (this.state.phase === 'serving') this.freeSince = performance.now();
    else if (this.state.phase === 'draining') void this.destroy();
  }

  private async remove(): Promise<void> {
    const { state } = this;
    this.state = { phase: 'destroying' };
    if (state.phase === 'creating' || state.phase === 'initializing') state.fail({ kind: 'destroyed' });
    else this.tellGone({ kind: 'destroyed' });
    await this.process?.destroy();
    this.files?.release();
    this.state = { phase: 'destroyed' };
  }
}

class ChannelStream implements InstanceStream {
  constructor(
    private readonly streamId: number,
    private readonly process: InstanceProcess | undefined,
    readonly closeThen: (recycle: boolean, done: () => void) => void,
  ) {}

  get isReachable(): boolean {
    return this.process?.isReachable === true;
  }

  get bufferedBytes(): number {
    return this.process?.bufferedBytes ?? 0;
  }

  send(kind: number, head: FrameHead, body?: Buffer): void {
    this.process?.send(kind, this.streamId, head, body);
  }

  close({ recycle }: { readonly recycle: boolean }): Promise<void> {
    return new Promise((resolve) => this.closeThen(recycle, resolve));
  }
}

function after(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms).unref());
}
