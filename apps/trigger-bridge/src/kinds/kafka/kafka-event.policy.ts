/** A record of a user's topic, as far as the event needs it. */
export interface TopicRecord {
  topic: string;
  partition: number;
  /** Decimal text: offsets are 64-bit numbers. */
  offset: string;
  key: Buffer | null;
  value: Buffer | null;
}

/** SCF's event of a Kafka trigger. */
export interface CkafkaEvent {
  Records: {
    Ckafka: { topic: string; partition: number; offset: number; msgKey: string; msgBody: string };
  }[];
}

/** SCF's limit of the event of a sync invocation, in bytes. */
export const MAX_EVENT_BYTES = 6 * 1024 * 1024;

const ENVELOPE_BYTES = Buffer.byteLength('{"Records":[]}');

export interface EventChunk {
  records: TopicRecord[];
  /** JSON text of a `CkafkaEvent`. */
  body: Buffer;
}

/**
 * Events for a batch, in its order: one, or several when it would be larger than `maxBytes`. A single record that is larger
 * alone makes an event of its own that is too large; the caller decides what becomes of it.
 */
export function eventsOf(records: readonly TopicRecord[], maxBytes = MAX_EVENT_BYTES): EventChunk[] {
  const chunks: EventChunk[] = [];
  let taken: TopicRecord[] = [];
  let texts: string[] = [];
  let bytes = ENVELOPE_BYTES;
  const close = (): void => {
    if (taken.length === 0) return;
    chunks.push({ records: taken, body: Buffer.from(`{"Records":[${texts.join(',')}]}`) });
    taken = [];
    texts = [];
    bytes = ENVELOPE_BYTES;
  };
  for (const record of records) {
    const text = JSON.stringify(entryOf(record));
    const size = Buffer.byteLength(text) + 1;
    if (bytes + size > maxBytes) close();
    taken.push(record);
    texts.push(text);
    bytes += size;
  }
  close();
  return chunks;
}

function entryOf(record: TopicRecord): CkafkaEvent['Records'][number] {
  return {
    Ckafka: {
      topic: record.topic,
      partition: record.partition,
      offset: Number(record.offset),
      msgKey: record.key === null ? 'None' : record.key.toString(),
      msgBody: record.value?.toString() ?? '',
    },
  };
}
