import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { eventsOf, type CkafkaEvent, type TopicRecord } from './kafka-event.policy.js';

function record(offset: number, value: string | null, key: string | null = null): TopicRecord {
  return {
    topic: 't',
    partition: 1,
    offset: String(offset),
    key: key === null ? null : Buffer.from(key),
    value: value === null ? null : Buffer.from(value),
  };
}

function parse(body: Buffer): CkafkaEvent {
  return JSON.parse(body.toString()) as CkafkaEvent;
}

describe('eventsOf', () => {
  it("has SCF's shape", () => {
    const [chunk] = eventsOf([record(36, 'Hello')]);
    expect(parse(chunk?.body ?? Buffer.alloc(0))).toEqual({
      Records: [{ Ckafka: { topic: 't', partition: 1, offset: 36, msgKey: 'None', msgBody: 'Hello' } }],
    });
  });

  it('keeps a key and sends a tombstone as empty text', () => {
    const [chunk] = eventsOf([record(1, null, 'k')]);
    expect(parse(chunk?.body ?? Buffer.alloc(0)).Records[0]?.Ckafka).toMatchObject({
      msgKey: 'k',
      msgBody: '',
    });
  });

  it('splits in order and never above the limit, unless one record is larger alone', () => {
    const values = fc.array(fc.string({ unit: 'binary', maxLength: 60 }), { maxLength: 20 });
    fc.assert(
      fc.property(values, (texts) => {
        const chunks = eventsOf(
          texts.map((text, i) => record(i, text)),
          250,
        );
        const offsets = chunks.flatMap((chunk) => chunk.records.map((each) => Number(each.offset)));
        expect(offsets).toEqual(texts.map((_, i) => i));
        for (const { records, body } of chunks) {
          expect(body.length <= 250 || records.length === 1).toBe(true);
          expect(parse(body).Records).toHaveLength(records.length);
        }
      }),
    );
  });
});
