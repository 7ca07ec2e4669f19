import { setTimeout as delay } from 'node:timers/promises';
import {
  DEFAULT_ALIAS,
  functionKey,
  LATEST,
  type AsyncEvent,
  type FunctionState,
  type InvokeCall,
  type InvokeOutcome,
} from '@openscf/contracts';
import type { CompactedTable } from '@openscf/bus';
import { refused, type Dispatcher } from '@openscf/dispatch';
import { currentTraceparent, withSpan, type Logger } from '@openscf/telemetry';
import type { QueuedEvent } from './parked-event.repository.js';
import { decide, isTooOld, type Decision, type RetryRules } from './retry.policy.js';

/** A function that was made a moment ago may reach this process after its first event. */
const FUNCTION_GRACE_MS = 10_000;
const FUNCTION_POLL_MS = 50;
/** States in which there is code to run; the invoker knows the same. */
const RUNNABLE: ReadonlySet<string> = new Set<FunctionState['status']>([
  'Active',
  'Updating',
  'UpdateFailed',
  'Publishing',
  'PublishFailed',
]);
/** What an attempt may take besides initialization and the function's own time: waiting for an instance, the way back. */
const DISPATCH_SLACK_MS = 30_000;

export interface AttemptResult {
  readonly decision: Decision;
  /** Undefined when no attempt was made. */
  readonly outcome?: InvokeOutcome;
}

export interface EventRunnerOptions {
  readonly functions: Pick<CompactedTable<FunctionState>, 'get'>;
  readonly dispatcher: Pick<Dispatcher, 'invoke'>;
  readonly logger: Logger;
}

/** The version that the event means. Every alias is `$LATEST` until aliases can be made. */
export function eventFunctionKey(event: AsyncEvent): string {
  const version = event.qualifier === DEFAULT_ALIAS || event.qualifier === '' ? LATEST : event.qualifier;
  return functionKey({ namespace: event.namespace, functionName: event.functionName, version });
}

/** Makes one attempt to run an event and says what becomes of the event. Never rejects. */
export class EventRunner {
  constructor(private readonly options: EventRunnerOptions) {}

  async attempt(queued: QueuedEvent): Promise<AttemptResult> {
    const { event, functionKey: key, traceparent, progress } = queued;
    const fn = await this.functionOf(event, key);
    if (fn === undefined) {
      return { decision: { kind: 'dead', reason: 'function-not-found', attempts: progress.attempts } };
    }
    if (isTooOld(event.acceptedAt, fn, Date.now())) {
      return { decision: { kind: 'dead', reason: 'too-old', attempts: progress.attempts } };
    }
    if (!RUNNABLE.has(fn.status)) return this.conclude(queued, fn, statusRefusal(fn));
    const attributes = { requestId: event.requestId, functionKey: key, retryNum: progress.retryNum };
    const outcome = await withSpan(
      'async attempt',
      { attributes, parent: traceparent, kind: 'consumer' },
      () => this.dispatch(queued, fn),
    );
    return this.conclude(queued, fn, outcome);
  }

  private async dispatch(queued: QueuedEvent, fn: FunctionState): Promise<InvokeOutcome> {
    const { event, progress } = queued;
    const call: InvokeCall = {
      requestId: event.requestId,
      functionKey: queued.functionKey,
      revision: fn.revision,
      invocationType: 'Event',
      retryNum: progress.retryNum,
      source: event.source,
      qualifier: event.qualifier,
      logTail: false,
      traceparent: currentTraceparent() ?? queued.traceparent,
    };
    const timeoutMs = fn.initTimeoutMs + fn.timeoutMs + DISPATCH_SLACK_MS;
    try {
      const options = { timeoutMs, runtime: fn.runtime };
      return (await this.options.dispatcher.invoke(call, Buffer.from(event.event), options)).outcome;
    } catch (error) {
      this.options.logger.error({ error, requestId: event.requestId }, 'dispatch failed');
      return refused('dispatch failed', { retryable: false }).outcome;
    }
  }

  private conclude(queued: QueuedEvent, rules: RetryRules, outcome: InvokeOutcome): AttemptResult {
    const { event, progress } = queued;
    const now = Date.now();
    const random = Math.random();
    const decision = decide({ outcome, progress, rules, acceptedAt: event.acceptedAt, now, random });
    return { decision, outcome };
  }

  private async functionOf(event: AsyncEvent, key: string): Promise<FunctionState | undefined> {
    const giveUpAt = event.acceptedAt + FUNCTION_GRACE_MS;
    for (;;) {
      const fn = this.options.functions.get(key);
      if (fn !== undefined || Date.now() >= giveUpAt) return fn;
      await delay(FUNCTION_POLL_MS);
    }
  }
}

function statusRefusal(fn: FunctionState): InvokeOutcome {
  return refused(`the function is ${fn.status}`, { statusCode: 438, retryable: true }).outcome;
}
