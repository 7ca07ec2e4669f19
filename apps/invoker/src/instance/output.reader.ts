import type { Readable } from 'node:stream';
import { outputShare, type OutputBudget, type OutputShare } from './output-share.js';

const NEWLINE = 0x0a;
/** Longest line that is kept; the rest of it is dropped. */
export const MAX_LINE_BYTES = 64 * 1024;
const CUT_NOTE = ' … [line cut at 64 KB]';
/** What reading takes beside what is done here: about three milliseconds for a megabyte. */
const READ_MS_PER_BYTE = 3e-6;
/** What is on its way when a request ends: what the pipe and the stream behind it hold, and a piece more. */
const UNDER_WAY_BYTES = 192 * 1024;

/**
 * Cuts what an instance prints into lines. Bytes that are not UTF-8 become U+FFFD.
 *
 * Who prints without end is made to wait: reading pauses while it has taken more time than its part of the share of all
 * instances, so that requests keep theirs. `hurry` suspends that for what has been printed already.
 */
export class OutputReader {
  private readonly budget: OutputBudget;
  private hurries = 0;
  private hurriedBytes = 0;
  private pause: NodeJS.Timeout | undefined;
  private partial: Buffer[] = [];
  private partialBytes = 0;
  private skipping = false;

  constructor(
    private readonly output: Readable,
    private readonly onLine: (text: string) => void,
    share: OutputShare = outputShare,
  ) {
    this.budget = share.open();
    output.on('data', (chunk: Buffer) => {
      const startedAt = performance.now();
      this.push(chunk);
      this.hurriedBytes += chunk.length;
      this.charge(performance.now() - startedAt + chunk.length * READ_MS_PER_BYTE);
    });
    output.on('end', () => this.flush());
    // The end of a sandbox may look like an error of its pipe; its exit is reported elsewhere.
    output.on('error', () => this.flush());
    output.on('close', () => this.budget.close());
  }

  /** Takes what has no line end yet for a line. */
  flush(): void {
    if (this.partialBytes > 0) this.emit(Buffer.concat(this.partial), '');
    this.reset();
    this.skipping = false;
  }

  /** The end of a request waits for its lines. From `true` to `false` what was printed before is read as fast as it can be. */
  hurry(on: boolean): void {
    this.hurries += on ? 1 : -1;
    if (on) this.hurriedBytes = 0;
    if (on && this.pause !== undefined) this.resume();
  }

  private charge(tookMs: number): void {
    this.budget.spend(tookMs);
    const hurried = this.hurries > 0 && this.hurriedBytes < UNDER_WAY_BYTES;
    if (!hurried && this.pause === undefined) this.waitForBudget();
  }

  /** Others that begin to print make it longer than it looked at first. */
  private waitForBudget(): void {
    const waitMs = this.budget.waitMs();
    if (waitMs === 0) {
      if (this.pause !== undefined) this.resume();
      return;
    }
    this.output.pause();
    this.pause = setTimeout(() => this.waitForBudget(), waitMs).unref();
  }

  private resume(): void {
    clearTimeout(this.pause);
    this.pause = undefined;
    this.output.resume();
  }

  private push(chunk: Buffer): void {
    let start = 0;
    for (let end = chunk.indexOf(NEWLINE); end >= 0; end = chunk.indexOf(NEWLINE, start)) {
      this.add(chunk.subarray(start, end));
      if (!this.skipping) this.emit(this.joined(), '');
      this.reset();
      this.skipping = false;
      start = end + 1;
    }
    if (start < chunk.length) this.add(chunk.subarray(start));
  }

  private add(bytes: Buffer): void {
    if (this.skipping) return;
    this.partial.push(bytes);
    this.partialBytes += bytes.length;
    if (this.partialBytes <= MAX_LINE_BYTES) return;
    this.emit(this.joined().subarray(0, MAX_LINE_BYTES), CUT_NOTE);
    this.reset();
    this.skipping = true;
  }

  private joined(): Buffer {
    const [only] = this.partial;
    return this.partial.length === 1 && only !== undefined ? only : Buffer.concat(this.partial);
  }

  private reset(): void {
    this.partial = [];
    this.partialBytes = 0;
  }

  private emit(bytes: Buffer, note: string): void {
    const end = bytes.length > 0 && bytes[bytes.length - 1] === 0x0d ? bytes.length - 1 : bytes.length;
    this.onLine(bytes.toString('utf8', 0, end) + note);
  }
}
