import type { InvocationRecord, LogLines } from '@openscf/contracts';
import { describe, expect, it } from 'vitest';
import { grouped, splitLines, weightOfLines, weightOfRecord } from './batches.policy.js';

/** libs/bus refuses a message over this, and what is refused is lost. */
const MAX_MESSAGE_BYTES = 1_000_000;

const name = 'n'.repeat(60);
const attempt = {
  requestId: 'r'.repeat(128),
  retryNum: 0,
  namespace: name,
  functionName: name,
  version: '1',
};
const record: InvocationRecord = {
  ...attempt,
  qualifier: name,
  appId: '1250000000',
  source: 'cloud-api',
  invocationType: 'RequestResponse',
  startedAt: 1_763_000_000_000,
  queuedMs: 12.345,
  placedMs: 1.234,
  durationMs: 123.456,
  billedMs: 124,
  memoryBytes: 30_000_000,
  memoryMb: 128,
  statusCode: 200,
  result: '',
  droppedLines: 0,
  printedLines: 0,
  invokerId: name,
  traceId: '0'.repeat(32),
};

function largest(messages: readonly unknown[]): number {
  return Math.max(...messages.map((message) => Buffer.byteLength(JSON.stringify(message))));
}

describe('batches', () => {
  it.each(['x', '\u0001', '中', '"'])('of records full of %j fit into messages', (character) => {
    const records = Array.from({ length: 500 }, (_, index) => ({
      ...record,
      result: character.repeat((index * 97) % 8_193),
    }));
    const messages = grouped(records, weightOfRecord);
    expect(messages.flat()).toEqual(records);
    expect(largest(messages)).toBeLessThan(MAX_MESSAGE_BYTES);
  });

  it.each(['x', '\u0001', '中'])(
    'of lines full of %j fit into messages, each line with its place',
    (character) => {
      const texts = Array.from(
        { length: 60 },
        (_, index) => `${index} ${character.repeat((index * 9_973) % 65_536)}`,
      );
      const printed: LogLines = { ...attempt, firstSeq: 0, lines: texts.map((text) => ({ at: 0, text })) };
      const messages = grouped(splitLines(printed), weightOfLines);
      expect(largest(messages)).toBeLessThan(MAX_MESSAGE_BYTES);
      for (const part of messages.flat()) {
        part.lines.forEach(({ text }, index) =>
          expect(text.startsWith(`${part.firstSeq + index} `)).toBe(true),
        );
      }
      expect(messages.flat().flatMap(({ lines }) => lines)).toHaveLength(60);
    },
  );
});
