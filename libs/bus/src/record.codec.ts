import type { Topic } from '@openscf/contracts';
import type { IHeaders, KafkaMessage, Message } from 'kafkajs';
import type { IncomingMessage, OutgoingMessage, RawMessage } from './bus.types.js';
import { InvalidRecordError } from './bus.errors.js';

const VERSION_HEADER = 'schema-version';

/** What reading a record came to. A tombstone has no value. */
export type Decoded<T> =
  | { kind: 'message'; message: IncomingMessage<T> }
  | { kind: 'tombstone'; key: string }
  | { kind: 'unreadable'; reason: string };

/** Checks the value against the topic's schema and writes it as JSON. @throws InvalidRecordError */
export function encode<T>(topic: Topic<T>, message: OutgoingMessage<T>): Message {
  const headers: Record<string, string> = { ...message.headers, [VERSION_HEADER]: String(topic.version) };
  if (message.value === null) {
    if (message.key === null) throw new InvalidRecordError(topic.name, 'a tombstone needs a key');
    return { key: message.key, value: null, headers };
  }
  const checked = topic.schema.safeParse(message.value);
  if (!checked.success) throw new InvalidRecordError(topic.name, describeIssues(checked.error.issues));
  return { key: message.key, value: JSON.stringify(checked.data), headers };
}

/** Reads one record. A record without a version (MinIO's, for example) is taken for the version that is known. */
export function decode<T>(topic: Topic<T>, partition: number, record: KafkaMessage): Decoded<T> {
  const headers = textHeaders(record.headers);
  const key = record.key === null ? null : record.key.toString('utf8');
  const version = headers[VERSION_HEADER];
  if (version !== undefined && version !== String(topic.version)) {
    return {
      kind: 'unreadable',
      reason: `schema version is ${version}, this service reads ${topic.version}`,
    };
  }
  if (record.value === null) {
    if (key === null) return { kind: 'unreadable', reason: 'neither key nor value' };
    return { kind: 'tombstone', key };
  }
  const json = parseJson(record.value);
  if ('reason' in json) return { kind: 'unreadable', reason: json.reason };
  const checked = topic.schema.safeParse(json.value);
  if (!checked.success) return { kind: 'unreadable', reason: describeIssues(checked.error.issues) };
  const { offset, timestamp } = record;
  const message = {
    topic: topic.name,
    partition,
    offset,
    key,
    value: checked.data,
    headers,
    timestampMs: Number(timestamp),
  };
  return { kind: 'message', message };
}

/** A record as it is. Of a header that comes several times the last value is kept. */
export function rawMessage(topicName: string, partition: number, record: KafkaMessage): RawMessage {
  const headers: Record<string, Buffer> = {};
  for (const [name, value] of Object.entries(record.headers ?? {})) {
    const last = Array.isArray(value) ? value.at(-1) : value;
    if (last !== undefined) headers[name] = Buffer.from(last);
  }
  const { key, value, offset, timestamp } = record;
  return { topic: topicName, partition, offset, key, value, headers, timestampMs: Number(timestamp) };
}

export function textHeaders(headers: IHeaders | undefined): Record<string, string> {
  const text: Record<string, string> = {};
  for (const [name, value] of Object.entries(headers ?? {})) {
    const last = Array.isArray(value) ? value.at(-1) : value;
    if (last !== undefined) text[name] = last.toString();
  }
  return text;
}

/** Bytes that a record holds in memory, about. */
export function sizeOf(record: KafkaMessage): number {
  return (record.value?.length ?? 0) + (record.key?.length ?? 0) + 100;
}

function parseJson(value: Buffer): { value: unknown } | { reason: string } {
  try {
    return { value: JSON.parse(value.toString('utf8')) as unknown };
  } catch (error) {
    return { reason: `not JSON: ${error instanceof Error ? error.message : String(error)}` };
  }
}

/** Names fields and what is wrong with them, never their values: they may hold secrets. */
function describeIssues(issues: readonly { path: PropertyKey[]; message: string }[]): string {
  return issues
    .slice(0, 3)
    .map((issue) => `${issue.path.map(String).join('.') || 'record'}: ${issue.message}`)
    .join('; ');
}
