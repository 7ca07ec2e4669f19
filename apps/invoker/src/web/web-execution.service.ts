import { setTimeout as delay } from 'node:timers/promises';
import type { FunctionState, InvocationRecord, InvokeCall } from '@openscf/contracts';
import { refused, type DispatchResult, type WebExchange } from '@openscf/dispatch';
import { currentTraceparent, isTracing, withSpan } from '@openscf/telemetry';
import { outcomeOf, type Ended } from '../execution/attempt.js';
import type { InvocationLog } from '../execution/invocation.log.js';
import { errorJson } from '../execution/outcome.policy.js';
import { waitedOf, type Arrival } from '../execution/receipt.policy.js';
import { InstanceLogs } from './instance-logs.js';
import { makeRequestHead, type WebPlace } from './request-head.factory.js';
import { WebAttempt, type WebLimits } from './web-attempt.js';
import type { WebInstance } from './web-channel.types.js';
import { failureOfWeb, type WebEnd } from './web-outcome.policy.js';

export interface WebExecutionOptions {
  readonly place: WebPlace;
  readonly limits: WebLimits;
  /** Makes the record of a request that has ended and hands it on, with what was printed. */
  readonly record: (
    log: InvocationLog,
    call: InvokeCall,
    state: FunctionState,
    ended: Ended,
    traceparent: string | undefined,
  ) => InvocationRecord;
}

export interface WebExecutionRequest {
  readonly exchange: WebExchange;
  readonly state: FunctionState;
  readonly arrival: Arrival;
  /** Called when the end is known, before the outcome. */
  readonly onEnd: () => void;
  /** Called when nothing of the request comes any more: the instance may serve another in its place, or has ended. */
  readonly onSettled: () => void;
}

/** A request at least this long (or a cold one) is recorded with a fresh reading of memory. */
const FRESH_MEMORY_AFTER_MS = 50;
const FRESH_MEMORY_WAIT_MS = 100;
const MEMORY_SAMPLE_MS = 1_000;

/** What is known of an instance that serves requests. */
interface Served {
  readonly logs: InstanceLogs;
  sampledAt: number;
}

/** Runs requests of web functions on instances, several at once on each, and keeps what they print apart. */
export class WebExecutionService {
  private readonly served = new WeakMap<WebInstance, Served>();

  constructor(private readonly options: WebExecutionOptions) {}

  /** To be called with an instance that was acquired for the request. Never rejects; the outcome is what the caller is sent last. */
  run(instance: WebInstance, request: WebExecutionRequest): Promise<DispatchResult> {
    const { call } = request.exchange;
    if (!isTracing()) return this.execute(instance, request, call.traceparent);
    const { namespace, functionName, version } = request.state;
    const attributes = {
      'faas.name': `${namespace}/${functionName}`,
      'faas.version': version,
      'faas.invocation_id': call.requestId,
    };
    return withSpan('web request', { attributes, parent: call.traceparent, kind: 'server' }, async (span) => {
      const result = await this.execute(instance, request, currentTraceparent());
      span.setAttribute('scf.status_code', result.outcome.statusCode);
      return result;
    });
  }

  private execute(
    instance: WebInstance,
    request: WebExecutionRequest,
    traceparent: string | undefined,
  ): Promise<DispatchResult> {
    return new Promise((answer) => {
      const onEnd = (attempt: WebAttempt, end: WebEnd): void => {
        request.onEnd();
        // The last words of a process that has exited tell why; everything else is known already.
        const isKnown = end.kind !== 'gone';
        if (isKnown) answer(resultOf(end, this.sum(attempt, end)));
        void this.settle(attempt, end, request, traceparent).then((ended) => {
          if (!isKnown) answer(resultOf(end, ended));
        });
      };
      try {
        this.begin(instance, request, traceparent, onEnd);
      } catch (error) {
        request.onEnd();
        request.onSettled();
        const reason = error instanceof Error ? error.message : String(error);
        answer(refused(`the instance did not take the request: ${reason}`, { retryable: true }));
      }
    });
  }

  private begin(
    instance: WebInstance,
    { exchange, state, arrival }: WebExecutionRequest,
    traceparent: string | undefined,
    onEnd: (attempt: WebAttempt, end: WebEnd) => void,
  ): void {
    const { place, limits } = this.options;
    const head = makeRequestHead(exchange.call, state, place, traceparent);
    const attempt = new WebAttempt(instance, { exchange, state, arrival, head, limits, onEnd });
    const { logs } = this.servedBy(instance);
    logs.begin(exchange.call.requestId, attempt.log);
    if (logs.size === 1) instance.receiveLines((text) => logs.line(text));
    attempt.begin();
  }

  /** Never rejects. */
  private async settle(
    attempt: WebAttempt,
    end: WebEnd,
    request: WebExecutionRequest,
    traceparent: string | undefined,
  ): Promise<Ended> {
    const { instance, log } = attempt;
    const { call } = request.exchange;
    const { logs } = this.servedBy(instance);
    await attempt.close(end);
    logs.end(call.requestId);
    if (logs.size === 0) instance.receiveLines(undefined);
    request.onSettled();
    if (end.kind !== 'gone') await this.lookAtMemory(attempt);
    const ended = this.sum(attempt, end);
    this.options.record(log, call, request.state, ended, traceparent);
    return ended;
  }

  private async lookAtMemory(attempt: WebAttempt): Promise<void> {
    const { instance, coldStart, durationMs } = attempt;
    const served = this.servedBy(instance);
    const now = performance.now();
    const isFresh = now - served.sampledAt < MEMORY_SAMPLE_MS;
    if (isFresh && coldStart === undefined) return;
    served.sampledAt = now;
    const sampled = instance.sampleMemory();
    if (coldStart !== undefined || durationMs >= FRESH_MEMORY_AFTER_MS)
      await Promise.race([sampled, delay(FRESH_MEMORY_WAIT_MS, undefined, { ref: false })]);
  }

  private sum(attempt: WebAttempt, end: WebEnd): Ended {
    const { instance, request, startedAt, beganAt, durationMs, coldStart, initMemoryBytes, log } = attempt;
    const { call } = request.exchange;
    const failed = failureOfWeb(end, request.state, log.lastPrinted());
    const served = { status: attempt.status, bytes: attempt.sentBytes };
    return {
      ...waitedOf(call, request.arrival, coldStart, beganAt),
      startedAt,
      durationMs,
      memoryBytes: instance.memoryBytes,
      coldStart,
      initMemoryBytes,
      failed,
      body: Buffer.from(failed ? errorJson(failed, call.requestId) : JSON.stringify(served)),
    };
  }

  private servedBy(instance: WebInstance): Served {
    let served = this.served.get(instance);
    if (served === undefined) {
      served = { logs: new InstanceLogs(), sampledAt: 0 };
      this.served.set(instance, served);
    }
    return served;
  }
}

function resultOf(end: WebEnd, ended: Ended): DispatchResult {
  if (end.kind === 'gone' && end.end.kind === 'destroyed')
    return refused('the instance was taken down with its invoker', { retryable: false });
  return { outcome: outcomeOf(ended, ''), body: ended.body };
}
