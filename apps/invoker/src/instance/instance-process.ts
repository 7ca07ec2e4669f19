import { mkdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { Frame, FrameHead } from '@openscf/framing';
import type {
  Sandbox,
  SandboxDriver,
  SandboxExit,
  SandboxMount,
  SandboxSpec,
  SandboxUsage,
} from '@openscf/sandbox-api';
import { channelFrame } from './channel.types.js';
import { InstanceChannel } from './instance-channel.js';
import { OutputReader } from './output.reader.js';
import { PrintedLines } from './printed-lines.js';

/** A process that has lost its channel is about to exit; this long its exit is waited for, to know how. */
const EXIT_AFTER_CHANNEL_MS = 1_000;

/**
 * A sandbox with a bootstrap in it: its channel, its output and its end. It knows nothing of functions, so that it may be
 * started before it is known what it will run (the warm pool).
 *
 * 1. `hello` resolves when the bootstrap has said so, and never otherwise. `ended` resolves once, when the process has
 *    ended or its channel is gone for good.
 * 2. Frames go to `onFrame` of whoever owns it; only `hello` is taken here.
 * 3. `destroy` is idempotent; when it resolves, sandbox, channel and run folder are gone, also of what was being started.
 */
export class InstanceProcess {
  readonly lines = new PrintedLines();
  readonly hello: Promise<void>;
  readonly ended: Promise<SandboxExit>;
  onFrame: (frame: Frame) => void = () => undefined;
  private sayHello: () => void = () => undefined;
  private end: (exit: SandboxExit) => void = () => undefined;
  private helloSaid = false;
  private isConnected = false;
  private isLost = false;
  private initHead: FrameHead | undefined;
  private channel: InstanceChannel | undefined;
  private sandbox: Sandbox | undefined;
  private creating: Promise<Sandbox> | undefined;
  private output: OutputReader | undefined;
  private destroying: Promise<void> | undefined;

  constructor(
    readonly id: string,
    private readonly runDirectory: string,
    private readonly driver: Pick<SandboxDriver, 'create'>,
  ) {
    this.hello = new Promise((resolve) => (this.sayHello = resolve));
    this.ended = new Promise((resolve) => (this.end = resolve));
  }

  get saidHello(): boolean {
    return this.helloSaid;
  }

  /** False when nothing that is sent arrives any more. */
  get isReachable(): boolean {
    return !this.isLost && this.destroying === undefined;
  }

  /** Resolves when the sandbox runs; rejects when it cannot be made. */
  async start(spec: SandboxSpec): Promise<void> {
    this.refuseWhenGone();
    await mkdir(this.runDirectory, { recursive: true, mode: 0o755 });
    this.channel = await InstanceChannel.listen(join(this.runDirectory, 'channel.sock'), {
      onConnect: () => this.connected(),
      onFrame: (frame) => this.receive(frame),
      onClose: () => this.channelLost(),
    });
    if (this.destroying !== undefined) {
      this.channel.close();
      await rm(this.runDirectory, { recursive: true, force: true });
    }
    this.refuseWhenGone();
    this.creating = this.driver.create(spec);
    const sandbox = await this.creating;
    this.sandbox = sandbox;
    this.output = new OutputReader(sandbox.output, (text) => this.lines.add(text));
    void sandbox.exited.then((exit) => this.end(exit));
  }

  /** Tells the bootstrap what it is to run, as soon as it is there. To be called once. */
  init(head: FrameHead): void {
    this.initHead = head;
    if (this.isConnected) this.send(channelFrame.init, 0, head);
  }

  send(kind: number, streamId: number, head: FrameHead, body?: Buffer): void {
    this.channel?.send(kind, streamId, head, body);
  }

  get bufferedBytes(): number {
    return this.channel?.bufferedBytes ?? 0;
  }

  /** Mounts what it is to run, and gives it the weight and the memory that go with that. */
  async specialise(
    mounts: readonly SandboxMount[],
    limits: Parameters<Sandbox['setLimits']>[0],
  ): Promise<void> {
    if (this.sandbox === undefined) throw new Error(`${this.id} does not run`);
    await Promise.all([this.sandbox.attach(mounts), this.sandbox.setLimits(limits)]);
  }

  async usage(): Promise<SandboxUsage | undefined> {
    return this.sandbox?.usage();
  }

  /** Takes what was printed without a line end for a line. */
  flush(): void {
    this.output?.flush();
  }

  /**
   * A bootstrap writes its lines before its last frame, so that after two more turns of the event loop the loop has polled
   * the output once after it has polled that frame, and what the pipe held has been read.
   */
  async linesDelivered(): Promise<void> {
    await this.creating?.catch(() => undefined);
    this.hurryLines(true);
    await new Promise<void>((resolve) => setImmediate(() => setImmediate(resolve)));
    this.hurryLines(false);
    this.flush();
  }

  /** From the end of a request until its lines are read: see OutputReader. */
  hurryLines(on: boolean): void {
    this.output?.hurry(on);
  }

  /** It does not keep to the protocol: nothing more is taken from it. */
  giveUp(): void {
    this.isLost = true;
    this.channel?.close();
    this.end({ oomKilled: false });
  }

  /** See invariant 3. */
  destroy(): Promise<void> {
    this.destroying ??= this.remove();
    return this.destroying;
  }

  private refuseWhenGone(): void {
    if (this.destroying !== undefined) throw new Error('it was given up before it was started');
  }

  private connected(): void {
    this.isConnected = true;
    if (this.initHead !== undefined) this.send(channelFrame.init, 0, this.initHead);
  }

  private receive(frame: Frame): void {
    if (frame.kind !== channelFrame.hello) {
      this.onFrame(frame);
    } else {
      this.helloSaid = true;
      this.sayHello();
    }
  }

  private channelLost(): void {
    this.isLost = true;
    setTimeout(() => this.end({ oomKilled: false }), EXIT_AFTER_CHANNEL_MS).unref();
  }

  private async remove(): Promise<void> {
    this.channel?.close();
    // What is being created must not outlive it. A destroy that failed is done again when the driver recovers.
    const sandbox = await this.creating?.catch(() => undefined);
    await sandbox?.destroy().catch(() => undefined);
    await rm(this.runDirectory, { recursive: true, force: true }).catch(() => undefined);
  }
}
