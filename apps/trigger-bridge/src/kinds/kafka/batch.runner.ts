/**
 * One batch of a partition, from its first attempt to its end.
 *
 *   attempt ─succeeded──────────────────────────► settled
 *      ▲   └─failed, throttled, refused─► waiting ─► attempt
 *      │                                    └─ retries used up ─► dead-lettered ─► settled
 *
 * Invariants:
 * 1. `run` resolves only when the batch is settled: the function has answered, or its records are stored as dead events.
 *    Its caller commits the offsets then, and only then.
 * 2. All attempts of a batch have one request id; `retryNum` grows by one with each.
 * 3. `stopping` ends a wait at once and lets an attempt under way end; `aborted` ends that as well. Both reject `run`
 *    unless the batch is settled, so that it is delivered again.
 */
import { setTimeout as delay } from 'node:timers/promises';
import { newRequestId, type Attempt, type CkafkaTrigger } from '@openscf/contracts';
import type { FunctionCaller } from '../../publishing/function.caller.js';
import type { DeadBatchPublisher } from './dead-batch.publisher.js';
import { eventsOf, MAX_EVENT_BYTES, type EventChunk, type TopicRecord } from './kafka-event.policy.js';
import { afterFailure, type RetryTimes, type Tries } from './retry.policy.js';

/** Attempts that a dead event tells of; the newest are kept. */
const ATTEMPTS_KEPT = 20;

export interface BatchStop {
  /** No new attempt. */
  stopping: AbortSignal;
  /** Give up the attempt under way. */
  aborted: AbortSignal;
}

/** The trigger was stopped before the batch was settled; it will be delivered again. */
export class BatchStoppedError extends Error {
  constructor() {
    super('the trigger was stopped before the batch was settled');
    this.name = 'BatchStoppedError';
  }
}

export class BatchRunner {
  constructor(
    private readonly caller: FunctionCaller,
    private readonly dead: DeadBatchPublisher,
    private readonly times: RetryTimes,
    private readonly now: () => number = Date.now,
  ) {}

  /** @param trigger asked before each attempt, so that a changed retry count or qualifier counts at once */
  async run(trigger: () => CkafkaTrigger, records: readonly TopicRecord[], stop: BatchStop): Promise<void> {
    for (const chunk of eventsOf(records)) {
      if (chunk.body.length > MAX_EVENT_BYTES) {
        const attempt = {
          at: this.now(),
          statusCode: 406,
          message: 'the record is larger than an event may be',
        };
        await this.dead.publish(trigger(), newRequestId(), chunk.records, 'refused', [attempt]);
      } else {
        await this.settle(trigger, chunk, stop);
      }
    }
  }

  private async settle(trigger: () => CkafkaTrigger, chunk: EventChunk, stop: BatchStop): Promise<void> {
    const requestId = newRequestId();
    const attempts: Attempt[] = [];
    const tries: Tries = { functionErrors: 0, platformErrors: 0 };
    for (let retryNum = 0; ; retryNum++) {
      if (stop.stopping.aborted) throw new BatchStoppedError();
      const outcome = await this.caller.call(
        trigger(),
        { requestId, retryNum, event: chunk.body },
        stop.aborted,
      );
      if (outcome.kind === 'succeeded') return;
      // Given up from outside: that says nothing about the function.
      if (stop.aborted.aborted) throw new BatchStoppedError();
      tries.platformErrors = outcome.kind === 'failed' ? 0 : tries.platformErrors + 1;
      if (outcome.kind === 'failed') tries.functionErrors++;
      attempts.push({ at: this.now(), statusCode: outcome.statusCode, message: outcome.message });
      if (attempts.length > ATTEMPTS_KEPT) attempts.shift();
      const next = afterFailure(tries, trigger().retries, this.times);
      if (next.kind === 'give-up') {
        await this.dead.publish(trigger(), requestId, chunk.records, 'retries-exhausted', attempts);
        return;
      }
      await delay(next.ms, undefined, { signal: stop.stopping }).catch(() => undefined);
    }
  }
}
