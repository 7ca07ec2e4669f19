import type { ConsumeBatchesOptions, IncomingMessage } from '@openscf/bus';
import { UnavailableError } from '@openscf/contracts';
import { silentLogger } from '@openscf/telemetry';
import { describe, expect, it } from 'vitest';
import { IngestConsumer } from './ingest.consumer.js';

type Handle = (messages: IncomingMessage<unknown>[]) => Promise<void>;

class StoreFake {
  readonly kept: string[] = [];
  away = false;

  insertInvocations(records: readonly { requestId: string }[]): Promise<void> {
    if (this.away) return Promise.reject(new UnavailableError('PostgreSQL is away'));
    if (records.some(({ requestId }) => requestId === 'bad')) {
      return Promise.reject(Object.assign(new Error('value out of range'), { code: '22003' }));
    }
    this.kept.push(...records.map(({ requestId }) => requestId));
    return Promise.resolve();
  }

  insertLines(records: readonly { requestId: string }[]): Promise<void> {
    this.kept.push(...records.map(({ requestId }) => `lines of ${requestId}`));
    return Promise.resolve();
  }
}

function started(store: StoreFake): Handle {
  let handle: Handle = () => Promise.reject(new Error('not started'));
  const bus = {
    consumeBatches: <T>(options: ConsumeBatchesOptions<T>) => {
      handle = options.handle as Handle;
      return { connected: true, stop: () => Promise.resolve() };
    },
  };
  new IngestConsumer(bus, store, silentLogger()).start();
  return handle;
}

/** One message with these records. */
function messages(...requestIds: string[]): IncomingMessage<unknown>[] {
  return [message(requestIds.map((requestId) => ({ requestId })))];
}

function message(value: unknown): IncomingMessage<unknown> {
  return {
    topic: 'openscf.invocations',
    partition: 0,
    offset: '0',
    key: null,
    value,
    headers: {},
    timestampMs: 0,
  };
}

describe('ingest', () => {
  it('keeps lines before the records of the same batch', async () => {
    const store = new StoreFake();
    const lines = message([
      { requestId: 'a', lines: [] },
      { requestId: 'b', lines: [] },
    ]);
    await started(store)([...messages('a', 'c'), lines]);
    expect(store.kept).toEqual(['lines of a', 'lines of b', 'a', 'c']);
  });

  it('leaves a batch to Kafka while PostgreSQL is away', async () => {
    const store = new StoreFake();
    const handle = started(store);
    store.away = true;
    await expect(handle(messages('a', 'b'))).rejects.toThrow(UnavailableError);
    store.away = false;
    await handle(messages('a', 'b'));
    expect(store.kept).toEqual(['a', 'b']);
  });

  it('leaves out a record that can never be kept, and keeps the others', async () => {
    const store = new StoreFake();
    await started(store)(messages('a', 'bad', 'b'));
    expect(store.kept).toEqual(['a', 'b']);
  });
});
