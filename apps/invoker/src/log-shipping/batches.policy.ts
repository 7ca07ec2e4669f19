import type { InvocationRecord, LogLine, LogLines } from '@openscf/contracts';

/** Kafka takes messages of 1 MB; JSON's escapes may make text six times longer at the worst. */
const MAX_MESSAGE_WEIGHT = 150 * 1024;
/** What a record and a line take besides their texts. */
const RECORD_WEIGHT = 800;
const LINE_WEIGHT = 80;

/** About how much memory, and how many bytes on the wire, it takes. */
export function weightOfRecord(record: InvocationRecord): number {
  return RECORD_WEIGHT + record.result.length;
}

export function weightOfLines({ lines }: LogLines): number {
  return RECORD_WEIGHT + lines.reduce((weight, line) => weight + weightOfLine(line), 0);
}

/** Splits what is printed into parts that a message takes; a short log stays as it is. */
export function splitLines(printed: LogLines): LogLines[] {
  const parts = grouped(printed.lines, weightOfLine);
  if (parts.length === 1) return [printed];
  let firstSeq = 0;
  return parts.map((lines) => {
    const part = { ...printed, firstSeq, lines };
    firstSeq += lines.length;
    return part;
  });
}

/** Groups neighbours into what one message takes. */
export function grouped<T>(items: readonly T[], weightOf: (item: T) => number): T[][] {
  const groups: T[][] = [];
  let current: T[] = [];
  let weight = 0;
  for (const item of items) {
    const own = weightOf(item);
    if (current.length === 0 || weight + own > MAX_MESSAGE_WEIGHT) {
      groups.push((current = []));
      weight = 0;
    }
    current.push(item);
    weight += own;
  }
  return groups;
}

function weightOfLine(line: LogLine): number {
  return LINE_WEIGHT + line.text.length;
}
