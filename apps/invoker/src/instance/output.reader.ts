import type { Readable } from 'node:stream';

const NEWLINE = 0x0a;
/** Longest line that is kept; the rest of it is dropped. */
export const MAX_LINE_BYTES = 64 * 1024;
const CUT_NOTE = ' … [line cut at 64 KB]';

/** Cuts what an instance prints into lines. Bytes that are not UTF-8 become U+FFFD. */
export class OutputReader {
  private partial: Buffer[] = [];
  private partialBytes = 0;
  private skipping = false;

  constructor(
    output: Readable,
    private readonly onLine: (text: string) => void,
  ) {
    output.on('data', (chunk: Buffer) => this.push(chunk));
    output.on('end', () => this.flush());
    // The end of a sandbox may look like an error of its pipe; its exit is reported elsewhere.
    output.on('error', () => this.flush());
  }

  /** Takes what has no line end yet for a line. */
  flush(): void {
    if (this.partialBytes > 0) this.emit(Buffer.concat(this.partial), '');
    this.reset();
    this.skipping = false;
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
