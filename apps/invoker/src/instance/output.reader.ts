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
/** What is cut without a look at the budget and at what else the process has to do: at its worst, empty lines, about a millisecond. */
const BITE_BYTES = 4096;

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
  /** Ends the wait before the next bite; the output is paused meanwhile. */
  private endWait: (() => void) | undefined;
  /** What has been read and is not cut yet. */
  private rest: Buffer | undefined;
  private partial: Buffer[] = [];
  private partialBytes = 0;
  private skipping = false;

  constructor(
    private readonly output: Readable,
    private readonly onLine: (text: string) => void,
    share: OutputShare = outputShare,
  ) {
    this.budget = share.open();
    output.on('data', (chunk: Buffer) => this.take(chunk));
    output.on('end', () => this.finish());
    // The end of a sandbox may look like an error of its pipe; its exit is reported elsewhere.
    output.on('error', () => this.finish());
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
    if (on && this.endWait !== undefined) this.resume();
  }

  private take(chunk: Buffer): void {
    this.rest = chunk;
    this.cutRest();
  }

  /** Cuts bite by bite, and gives way to others between two bites unless it is hurried. */
  private cutRest(): void {
    while (this.rest !== undefined && this.endWait === undefined) {
      const { rest } = this;
      const bite = rest.subarray(0, BITE_BYTES);
      this.rest = bite.length < rest.length ? rest.subarray(BITE_BYTES) : undefined;
      const startedAt = performance.now();
      this.push(bite);
      this.hurriedBytes += bite.length;
      this.budget.spend(performance.now() - startedAt + bite.length * READ_MS_PER_BYTE);
      if (this.hurries === 0 || this.hurriedBytes >= UNDER_WAY_BYTES) this.giveWay();
    }
  }

  private giveWay(): void {
    const waitMs = this.budget.waitMs();
    if (waitMs > 0) {
      const timer = setTimeout(() => this.lookAgain(), waitMs).unref();
      this.wait(() => clearTimeout(timer));
    } else if (this.rest !== undefined) {
      const immediate = setImmediate(() => this.resume());
      this.wait(() => clearImmediate(immediate));
    }
  }

  private wait(end: () => void): void {
    this.output.pause();
    this.endWait = end;
  }

  /** Others that began to print make the wait longer than it looked at first. */
  private lookAgain(): void {
    this.endWait = undefined;
    this.giveWay();
    if (this.endWait === undefined) this.resume();
  }

  private resume(): void {
    this.endWait?.();
    this.endWait = undefined;
    this.cutRest();
    if (this.endWait === undefined) this.output.resume();
  }

  private finish(): void {
    this.endWait?.();
    this.endWait = undefined;
    if (this.rest !== undefined) this.push(this.rest);
    this.rest = undefined;
    this.flush();
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
