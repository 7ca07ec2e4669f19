import type { Frame, FrameHead } from '@openscf/framing';

const KIND = { error: 7, data: 9, end: 10, response: 11, window: 12, abort: 13 };
const WINDOW_BYTES = 256 * 1024;
const PIECE_BYTES = 64 * 1024;

/** The invoker's side of one request: keeps to the windows, as the invoker does. */
export class AgentRequest {
  /** Why there is no (whole) response: the failure of an error, or the reason of an abort. */
  failed: Record<string, unknown> | undefined;
  ended = false;
  receivedBytes = 0;
  sentBytes = 0;
  largestPiece = 0;
  readonly response: Promise<{ status: number; headers: Record<string, string> }>;
  private pieces: Buffer[] = [];
  private credit = WINDOW_BYTES;
  private granting = true;
  private ungranted = 0;
  private waiters: (() => void)[] = [];
  private head: { status: number; headers: [string, string][] } | undefined;

  constructor(
    readonly id: string,
    private readonly sendFrame: (kind: number, head: FrameHead, body?: Buffer) => void,
  ) {
    this.response = this.untilResponse();
    // Tests that expect a failure look at `failed`.
    this.response.catch(() => undefined);
  }

  /** Resolves when all has been sent: not before the agent has given room. */
  async send(bytes: Buffer | string): Promise<void> {
    const all = Buffer.from(bytes);
    for (let at = 0; at < all.length;) {
      await this.until(() => this.credit > 0);
      const piece = all.subarray(at, at + Math.min(PIECE_BYTES, this.credit));
      this.credit -= piece.length;
      this.sentBytes += piece.length;
      at += piece.length;
      this.sendFrame(KIND.data, '{}', piece);
    }
  }

  end(): void {
    this.sendFrame(KIND.end, '{}');
  }

  abort(): void {
    this.sendFrame(KIND.abort, { reason: 'test' });
  }

  /** The agent gets no more room until `grantAgain`. */
  stopGranting(): void {
    this.granting = false;
  }

  grantAgain(): void {
    this.granting = true;
    this.grant(0);
  }

  /** The whole body, or what came before a failure. */
  async body(): Promise<Buffer> {
    await this.until(() => this.ended);
    return this.taken();
  }

  /** What has come and was not taken yet. */
  taken(): Buffer {
    const all = Buffer.concat(this.pieces);
    this.pieces = [];
    return all;
  }

  /** Waits for bytes that hold the text, and takes all that is there. */
  async bodyWith(text: string): Promise<string> {
    await this.until(() => Buffer.concat(this.pieces).includes(text));
    return this.taken().toString();
  }

  async failure(): Promise<Record<string, unknown>> {
    await this.until(() => this.failed !== undefined);
    return this.failed as Record<string, unknown>;
  }

  async until(condition: () => boolean): Promise<void> {
    while (!condition()) {
      if (this.failed !== undefined) throw new Error(JSON.stringify(this.failed));
      await new Promise<void>((resolve) => this.waiters.push(resolve));
    }
  }

  receive({ kind, head, body }: Frame): void {
    if (this.ended || (this.failed !== undefined && kind !== KIND.window))
      throw new Error(`a frame of kind ${kind} after the end`);
    if (kind === KIND.response) this.head = JSON.parse(head.toString()) as typeof this.head;
    else if (kind === KIND.data) this.receiveData(body);
    else if (kind === KIND.window) this.credit += (JSON.parse(head.toString()) as { bytes: number }).bytes;
    else if (kind === KIND.end) this.ended = true;
    else this.failed = JSON.parse(head.toString()) as Record<string, unknown>;
    const waiters = this.waiters;
    this.waiters = [];
    for (const waiter of waiters) waiter();
  }

  private receiveData(body: Buffer): void {
    if (this.head === undefined) throw new Error('data before the response');
    this.pieces.push(Buffer.from(body));
    this.receivedBytes += body.length;
    this.largestPiece = Math.max(this.largestPiece, body.length);
    this.grant(body.length);
  }

  private grant(bytes: number): void {
    this.ungranted += bytes;
    if (!this.granting || this.ungranted < WINDOW_BYTES / 4) return;
    this.sendFrame(KIND.window, { bytes: this.ungranted });
    this.ungranted = 0;
  }

  private async untilResponse(): Promise<{ status: number; headers: Record<string, string> }> {
    await this.until(() => this.head !== undefined);
    const { status, headers } = this.head as { status: number; headers: [string, string][] };
    return {
      status,
      headers: Object.fromEntries(headers.map(([name, value]) => [name.toLowerCase(), value])),
    };
  }
}
