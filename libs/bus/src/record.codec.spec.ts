import { topics } from '@openscf/contracts';
import { aFunctionState } from '@openscf/testing';
import type { KafkaMessage, Message } from 'kafkajs';
import { describe, expect, it } from 'vitest';
import { InvalidRecordError } from './bus.errors.js';
import { decode, encode, rawMessage } from './record.codec.js';

const topic = topics.functions;

function stored(message: Message): KafkaMessage {
  const { key, value, headers } = message;
  return {
    key: key === null || key === undefined ? null : Buffer.from(key),
    value: value === null ? null : Buffer.from(value),
    timestamp: '1700000000000',
    attributes: 0,
    offset: '7',
    headers: headers ?? {},
  };
}

describe('encode and decode', () => {
  it('bring a value back with its headers and its version', () => {
    const value = aFunctionState();
    const decoded = decode(topic, 3, stored(encode(topic, { key: 'k', value, headers: { a: 'b' } })));
    expect(decoded).toEqual({
      kind: 'message',
      message: {
        topic: topic.name,
        partition: 3,
        offset: '7',
        key: 'k',
        value,
        headers: { a: 'b', 'schema-version': '1' },
        timestampMs: 1_700_000_000_000,
      },
    });
  });

  it('bring a tombstone back, which needs a key', () => {
    expect(decode(topic, 0, stored(encode(topic, { key: 'k', value: null })))).toEqual({
      kind: 'tombstone',
      key: 'k',
    });
    expect(() => encode(topic, { key: null, value: null })).toThrow(InvalidRecordError);
  });

  it('name the field that does not fit, not its value', () => {
    const value = { ...aFunctionState({ environment: { SECRET: 'hunter2' } }), memoryMb: 1.5 };
    expect(() => encode(topic, { key: 'k', value })).toThrow(/memoryMb: /);
    expect(() => encode(topic, { key: 'k', value })).not.toThrow(/hunter2/);
  });

  it.each([
    [
      'another version',
      { value: '{}', headers: { 'schema-version': '2' } },
      'schema version is 2, this service reads 1',
    ],
    ['no JSON', { value: '{' }, 'not JSON'],
    ['another shape', { value: '{}' }, 'functionId'],
    ['nothing at all', { value: null }, 'neither key nor value'],
  ])('call %s unreadable', (_what, message, reason) => {
    const decoded = decode(topic, 0, stored({ key: null, ...message }));
    expect(decoded.kind === 'unreadable' && decoded.reason).toContain(reason);
  });
});

describe('rawMessage', () => {
  it('keeps bytes, and the last of several values of a header', () => {
    const record = stored({ key: 'k', value: 'v', headers: { h: [Buffer.from('1'), 'last'] } });
    record.headers = { ...record.headers, n: undefined };
    const raw = rawMessage('user', 1, record);
    expect(raw).toMatchObject({ topic: 'user', partition: 1, offset: '7' });
    expect([String(raw.value), String(raw.headers['h']), Object.keys(raw.headers)]).toEqual([
      'v',
      'last',
      ['h'],
    ]);
  });
});
