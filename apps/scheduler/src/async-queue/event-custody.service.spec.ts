import { UnavailableError } from '@openscf/contracts';
import { silentLogger } from '@openscf/telemetry';
import { anAsyncEvent } from '@openscf/testing';
import { describe, expect, it, vi } from 'vitest';
import { EventCustody, HeldEvent, type EventRows } from './event-custody.service.js';
import { NO_PROGRESS, type Decision } from './retry.policy.js';

const done: Decision = { kind: 'done' };
const retry: Decision = { kind: 'retry', at: 1_000, progress: { ...NO_PROGRESS, retryNum: 1 } };
const dead: Decision = { kind: 'dead', reason: 'retries-exhausted', attempts: [] };

/** Rows of one event that may fail before or after they are written. */
class RowsFake implements EventRows {
  readonly log: string[] = [];
  row: { leased: boolean; epoch: number } | undefined;
  fail: 'before' | 'after' | undefined;

  park(): Promise<void> {
    return this.write('park', () => {
      this.row ??= { leased: false, epoch: 0 };
    });
  }

  parkLeased(): Promise<boolean> {
    return this.write('parkLeased', () => {
      this.row ??= { leased: true, epoch: 0 };
      return this.row.leased && this.row.epoch === 0;
    });
  }

  reschedule(_requestId: string, epoch: number): Promise<boolean> {
    return this.write('reschedule', () => {
      if (!this.row?.leased || this.row.epoch !== epoch) return false;
      this.row.leased = false;
      return true;
    });
  }

  remove(_requestId: string, epoch: number): Promise<boolean> {
    return this.write('remove', () => {
      if (!this.row?.leased || this.row.epoch !== epoch) return false;
      this.row = undefined;
      return true;
    });
  }

  private async write<T>(name: string, apply: () => T): Promise<T> {
    const { fail } = this;
    this.fail = undefined;
    if (fail === 'before') throw new UnavailableError('PostgreSQL is away');
    const result = apply();
    this.log.push(name);
    if (fail === 'after') throw new UnavailableError('the answer was lost');
    return result;
  }
}

function setUp() {
  const rows = new RowsFake();
  const deadLetters = { publish: vi.fn(() => Promise.resolve()) };
  const stop = new AbortController();
  const custody = new EventCustody(rows, deadLetters, silentLogger(), stop.signal);
  const event = anAsyncEvent();
  const queued = {
    event,
    functionKey: 'default/hello/$LATEST',
    progress: NO_PROGRESS,
    traceparent: undefined,
  };
  return { rows, deadLetters, stop, custody, queued, held: new HeldEvent(queued) };
}

describe('an event that Kafka keeps', () => {
  it('is done without a row', async () => {
    const { rows, custody, held } = setUp();
    await custody.settle(held, done);
    expect(rows.log).toEqual([]);
    expect(custody.counters.done).toBe(1);
  });

  it('waits for its next attempt in a row', async () => {
    const { rows, custody, held } = setUp();
    rows.fail = 'before';
    await custody.settle(held, retry);
    expect(rows.row).toEqual({ leased: false, epoch: 0 });
  });

  it('is dead-lettered once, also when what follows fails', async () => {
    const { rows, custody, held, deadLetters } = setUp();
    await custody.move(held);
    rows.fail = 'before';
    await custody.settle(held, dead);
    expect(deadLetters.publish).toHaveBeenCalledTimes(1);
    expect(rows.row).toBeUndefined();
  });

  it('stays with its keeper when the process stops before its outcome is kept', async () => {
    const { custody, held, deadLetters, stop } = setUp();
    deadLetters.publish.mockRejectedValue(new UnavailableError('Kafka is away'));
    const settled = custody.settle(held, dead);
    stop.abort(new Error('stopped'));
    await expect(settled).rejects.toThrow();
    expect(custody.counters.dead).toBe(0);
  });
});

describe('an event that has moved to a row', () => {
  it('is settled there', async () => {
    const { rows, custody, held } = setUp();
    expect(await custody.move(held)).toBe(true);
    await custody.settle(held, done);
    expect(rows.log).toEqual(['parkLeased', 'remove']);
    expect(rows.row).toBeUndefined();
  });

  it('is settled there although the move is still being written', async () => {
    const { rows, custody, held } = setUp();
    const moved = custody.move(held);
    await Promise.all([custody.settle(held, retry), moved]);
    expect(rows.log).toEqual(['parkLeased', 'reschedule']);
  });

  it('settles nothing once another worker has taken it over', async () => {
    const { rows, custody, held } = setUp();
    await custody.move(held);
    rows.row = { leased: true, epoch: 1 };
    await custody.settle(held, done);
    expect(rows.row).toEqual({ leased: true, epoch: 1 });
    expect(custody.counters.leasesLost).toBe(1);
  });

  it('is left to a row that was there before', async () => {
    const { rows, custody, held, deadLetters } = setUp();
    rows.row = { leased: false, epoch: 3 };
    await custody.move(held);
    await custody.settle(held, dead);
    expect(deadLetters.publish).not.toHaveBeenCalled();
    expect(rows.row).toEqual({ leased: false, epoch: 3 });
  });
});

describe('an event whose move was written without an answer', () => {
  it('is done, and its row goes', async () => {
    const { rows, custody, held } = setUp();
    rows.fail = 'after';
    expect(await custody.move(held)).toBe(false);
    await custody.settle(held, done);
    await vi.waitFor(() => expect(rows.row).toBeUndefined(), { timeout: 5_000 });
  });

  it('waits for its next attempt in that row', async () => {
    const { rows, custody, held } = setUp();
    rows.fail = 'after';
    await custody.move(held);
    await custody.settle(held, retry);
    expect(rows.row).toEqual({ leased: false, epoch: 0 });
  });
});
