import type { ColdStart } from '@openscf/contracts';
import { webFrame, type WebInstance, type WebStream, type WebStreamReceiver } from './web-channel.types.js';

interface Frame {
  kind: number;
  head: Record<string, unknown>;
  body: Buffer;
}

/** One request as the fake's server sees it. */
export class FakeStream implements WebStream {
  readonly frames: Frame[] = [];
  closedWith: { recycle: boolean } | undefined;
  bufferedBytes = 0;
  onFrame: (frame: Frame) => void = () => undefined;

  constructor(
    readonly receiver: WebStreamReceiver,
    private readonly onClose: () => void,
  ) {}

  send(kind: number, head: unknown, body: Buffer = Buffer.alloc(0)): void {
    const text = typeof head === 'string' || Buffer.isBuffer(head) ? head.toString() : JSON.stringify(head);
    const frame = { kind, head: JSON.parse(text) as Record<string, unknown>, body };
    this.frames.push(frame);
    this.onFrame(frame);
  }

  async close(options: { recycle: boolean }): Promise<void> {
    this.closedWith = options;
    await new Promise((resolve) => setImmediate(resolve));
    this.onClose();
  }

  /** From the instance. */
  emit(kind: number, head: object = {}, body: Buffer | string = ''): void {
    this.receiver.onFrame(kind, Buffer.from(JSON.stringify(head)), Buffer.from(body));
  }

  respond(body: string, status = 200, headers: [string, string][] = []): void {
    this.emit(webFrame.response, { status, headers });
    if (body !== '') this.emit(webFrame.data, {}, body);
    this.emit(webFrame.end);
  }

  kinds(): number[] {
    return this.frames.map(({ kind }) => kind);
  }
}

/** An instance without a sandbox, whose server is the test. */
export class FakeWebInstance implements WebInstance {
  readonly id = 'i-fake';
  memoryBytes = 1_000_000;
  coldStart: ColdStart | undefined;
  readonly streams: FakeStream[] = [];
  closed = 0;
  refuses: string | undefined;
  private receiver: ((text: string) => void) | undefined;

  /** `serve` is called for each request, when its head has come. */
  constructor(private readonly serve: (stream: FakeStream) => void = () => undefined) {}

  takeColdStart(): ColdStart | undefined {
    const taken = this.coldStart;
    this.coldStart = undefined;
    return taken;
  }

  sampleMemory(): Promise<number> {
    return Promise.resolve(this.memoryBytes);
  }

  receiveLines(receiver: ((text: string) => void) | undefined): void {
    this.receiver = receiver;
  }

  get receivesLines(): boolean {
    return this.receiver !== undefined;
  }

  print(text: string): void {
    this.receiver?.(text);
  }

  openStream(receiver: WebStreamReceiver): WebStream {
    if (this.refuses !== undefined) throw new Error(this.refuses);
    const stream = new FakeStream(receiver, () => this.closed++);
    this.streams.push(stream);
    stream.onFrame = ({ kind }) => {
      if (kind === webFrame.request) setImmediate(() => this.serve(stream));
    };
    return stream;
  }
}
