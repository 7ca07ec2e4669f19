import type { LogLine, LogLines } from '@openscf/contracts';

/** Kafka takes records of 1 MB by default; JSON's escapes may make text six times longer at the worst. */
const MAX_TEXT_BYTES = 150 * 1024;

/** Splits a long log into records that Kafka takes; a short one stays as it is. */
export function splitLines(log: LogLines): LogLines[] {
  const parts: LogLine[][] = [];
  let current: LogLine[] = [];
  let length = 0;
  for (const line of log.lines) {
    if (current.length > 0 && length + line.text.length > MAX_TEXT_BYTES) {
      parts.push(current);
      current = [];
      length = 0;
    }
    current.push(line);
    length += line.text.length;
  }
  parts.push(current);
  return parts.length === 1 ? [log] : parts.map((lines) => ({ ...log, lines }));
}

/** About how much memory, and how many bytes on the wire, the lines take. */
export function weightOf(log: LogLines): number {
  let weight = 512;
  for (const line of log.lines) weight += line.text.length + 80;
  return weight;
}
