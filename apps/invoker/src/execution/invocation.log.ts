import type { LogLine } from '@openscf/contracts';
import { closingLines, openingLines, type LoggedAttempt } from '@openscf/scf-api';

/** What one invocation may print; beyond it lines are counted, not kept. */
export const MAX_LOG_BYTES = 1024 * 1024;
/** So that empty lines come to an end too. */
export const MAX_LOG_LINES = 32_768;
/** scf-api section 1: LogType Tail. */
const TAIL_BYTES = 4 * 1024;

/** What one attempt prints, in order. */
export class InvocationLog {
  readonly lines: LogLine[] = [];
  private bytes = 0;
  private dropped = 0;

  /** Lines that are not kept. */
  get droppedLines(): number {
    return this.dropped;
  }

  add(text: string): void {
    const isFull = this.bytes + text.length > MAX_LOG_BYTES || this.lines.length >= MAX_LOG_LINES;
    if (this.dropped > 0 || isFull) {
      this.dropped++;
      return;
    }
    this.bytes += text.length;
    this.lines.push({ at: Date.now(), text });
  }

  /** The last 4 KB of the whole log, the platform's lines included, beginning with a whole line where possible. */
  tail(attempt: LoggedAttempt): string {
    const all = [
      ...openingLines(attempt),
      ...this.lines.slice(-TAIL_BYTES).map(({ text }) => text),
      ...closingLines(attempt),
    ];
    const texts: string[] = [];
    let bytes = 0;
    for (const text of all.reverse()) {
      bytes += Buffer.byteLength(text) + 1;
      if (bytes > TAIL_BYTES + 1 && texts.length > 0) break;
      texts.unshift(bytes > TAIL_BYTES + 1 ? lastBytes(text, TAIL_BYTES) : text);
    }
    return texts.join('\n');
  }

  /** What was printed last, for finding out why a process ended. */
  lastPrinted(): string {
    return this.lines
      .slice(-40)
      .map((line) => line.text)
      .join('\n');
  }
}

/** The beginning of a text, in bytes, never cut inside a character; `…` follows what is cut. */
export function cutBytes(text: Buffer, bytes: number): string {
  if (text.length <= bytes) return text.toString();
  let end = bytes;
  while (end > 0 && isInside(text, end)) end--;
  return `${text.toString('utf8', 0, end)}…`;
}

function lastBytes(text: string, bytes: number): string {
  const encoded = Buffer.from(text);
  let start = encoded.length - bytes;
  while (start < encoded.length && isInside(encoded, start)) start++;
  return encoded.toString('utf8', start);
}

/** True when a UTF-8 character goes on at this byte. */
function isInside(text: Buffer, at: number): boolean {
  return ((text[at] ?? 0) & 0xc0) === 0x80;
}
