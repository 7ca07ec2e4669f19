import type { LogLine } from '@openscf/contracts';

/** What one invocation may print; beyond it lines are counted, not kept. */
export const MAX_LOG_BYTES = 1024 * 1024;
/** scf-api section 1: LogType Tail. */
const TAIL_BYTES = 4 * 1024;
/** Longest text of a platform line that repeats a result or an error. */
const MAX_REPEATED = 8 * 1024;

/** The lines of one attempt, in order. */
export class InvocationLog {
  readonly lines: LogLine[] = [];
  private customBytes = 0;
  private droppedLines = 0;

  platform(text: string, level: LogLine['level'] = 'INFO'): void {
    this.add('Platform', level, cutText(text, MAX_REPEATED));
  }

  /** A line that the function printed. */
  custom(text: string): void {
    if (this.droppedLines > 0 || this.customBytes + text.length > MAX_LOG_BYTES) {
      this.droppedLines++;
      return;
    }
    this.customBytes += text.length;
    this.add('Custom', 'INFO', text);
  }

  /** Says what was dropped; before the closing lines. */
  noteDropped(): void {
    if (this.droppedLines === 0) return;
    this.platform(`[PLATFORM] the log was cut at 1 MB: ${this.droppedLines} more lines were dropped`, 'WARN');
  }

  /** The last 4 KB, beginning with a whole line where possible. */
  tail(): string {
    const texts: string[] = [];
    let bytes = 0;
    for (let i = this.lines.length - 1; i >= 0; i--) {
      const text = this.lines[i]?.text ?? '';
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
      .filter((line) => line.type === 'Custom')
      .map((line) => line.text)
      .join('\n');
  }

  private add(type: LogLine['type'], level: LogLine['level'], text: string): void {
    this.lines.push({ seq: this.lines.length, at: Date.now(), level, type, text });
  }
}

/** Cut at a length in UTF-16 units, never inside a pair. */
export function cutText(text: string, length: number): string {
  if (text.length <= length) return text;
  const end = /[\ud800-\udbff]/.test(text[length - 1] ?? '') ? length - 1 : length;
  return `${text.slice(0, end)}…`;
}

function lastBytes(text: string, bytes: number): string {
  const encoded = Buffer.from(text);
  let start = encoded.length - bytes;
  // Not in the middle of a character.
  while (start < encoded.length && ((encoded[start] ?? 0) & 0xc0) === 0x80) start++;
  return encoded.toString('utf8', start);
}
