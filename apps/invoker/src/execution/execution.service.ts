import type { ColdStart, FunctionState, InvocationRecord, InvokeCall, LogLines } from '@openscf/contracts';
import { refused, type DispatchResult } from '@openscf/dispatch';
import { currentTraceparent, isTracing, traceIdOf, withSpan } from '@openscf/telemetry';
import type { BootFailure } from '../instance/instance.types.js';
import { Attempt, outcomeOf, type Ended, type ExecutionInstance, type ExecutionRequest } from './attempt.js';
import { cutBytes, InvocationLog } from './invocation.log.js';
import { errorJson, failureOfBoot } from './outcome.policy.js';
import { receiptAttributes, roundMs, waitedOf } from './receipt.policy.js';

export interface ExecutionOptions {
  readonly invokerId: string;
  readonly appId: string;
  /** Takes what is left behind by an attempt; never waits, never throws. */
  readonly ship: (record: InvocationRecord, printed: LogLines | undefined) => void;
  /** Resolves when all that was shipped is stored, at the latest after so many ms. */
  readonly stored: (mostMs: number) => Promise<void>;
}

/** How long the outcome of an async event waits for its record while Kafka does not take it. */
const RECORD_STORED_MS = 2_000;

/** How often the memory of an instance with short invocations is looked at, behind the answers. */
const MEMORY_SAMPLE_MS = 1_000;
/** contracts: a record's result is cut to this length. */
const MAX_RECORD_RESULT_BYTES = 8 * 1024;

/** Runs invocations on instances, keeps what they print, and turns their ends into outcomes and records. */
export class ExecutionService {
  private readonly sampledAt = new WeakMap<ExecutionInstance, number>();

  constructor(private readonly options: ExecutionOptions) {}

  /**
   * To be called with an idle instance. Never rejects. The outcome of an async event comes when its record is stored: whoever keeps
   * the event lets it go then, and an invoker that is killed before leaves no event that ran without a trace.
   */
  run(instance: ExecutionInstance, request: ExecutionRequest): Promise<DispatchResult> {
    const ran = this.traced(instance, request);
    return request.call.invocationType === 'Event' ? this.afterRecord(ran) : ran;
  }

  private async afterRecord(ran: Promise<DispatchResult>): Promise<DispatchResult> {
    const result = await ran;
    await this.options.stored(RECORD_STORED_MS);
    return result;
  }

  private traced(instance: ExecutionInstance, request: ExecutionRequest): Promise<DispatchResult> {
    if (!isTracing()) return this.execute(instance, request, request.call.traceparent);
    const { call, state } = request;
    const attributes = {
      'faas.name': `${state.namespace}/${state.functionName}`,
      'faas.version': state.version,
      'faas.invocation_id': call.requestId,
    };
    return withSpan('invocation', { attributes, parent: call.traceparent, kind: 'server' }, async (span) => {
      const result = await this.execute(instance, request, currentTraceparent());
      const { outcome } = result;
      span.setAttribute('scf.status_code', outcome.statusCode);
      if ('durationMs' in outcome) {
        const { queuedMs = 0, placedMs = 0, coldStart } = outcome;
        for (const [name, value] of Object.entries(receiptAttributes({ queuedMs, placedMs }, coldStart)))
          span.setAttribute(name, value);
      }
      return result;
    });
  }

  /** The instance did not become ready: a failure of the function is answered and logged as one, another is refused. */
  bootFailed(
    instance: Pick<ExecutionInstance, 'memoryBytes' | 'receiveLines'>,
    { call, state, arrival }: Pick<ExecutionRequest, 'call' | 'state' | 'arrival'>,
    failure: BootFailure,
    coldStart: ColdStart,
  ): DispatchResult {
    const { memoryBytes } = instance;
    const log = new InvocationLog();
    instance.receiveLines((text) => log.add(text));
    const failed = failureOfBoot(failure, state, log.lastPrinted());
    if (failed === undefined) {
      const reason = failure.kind === 'platform' ? failure.message : 'the invoker is shutting down';
      return refused(`the instance could not be started: ${reason}`, { retryable: true });
    }
    const body = Buffer.from(errorJson(failed, call.requestId));
    const initMemoryBytes = memoryBytes;
    const ended = {
      ...waitedOf(call, arrival, coldStart, performance.now()),
      startedAt: Date.now(),
      durationMs: 0,
      memoryBytes,
      coldStart,
      initMemoryBytes,
      failed,
      body,
    };
    const record = this.record(log, call, state, ended, call.traceparent);
    return { outcome: outcomeOf(ended, call.logTail ? log.tail(record) : ''), body };
  }

  private execute(
    instance: ExecutionInstance,
    request: ExecutionRequest,
    traceparent: string | undefined,
  ): Promise<DispatchResult> {
    return new Promise((answer) => {
      const close = (attempt: Attempt, ended: Ended): InvocationRecord => {
        this.sampleBehind(instance);
        return this.record(attempt.log, request.call, request.state, ended, traceparent);
      };
      instance.invoke(new Attempt(instance, request, traceparent, answer, close));
    });
  }

  /** Makes the record and hands it to shipping, with what was printed. */
  record(
    { lines, droppedLines }: InvocationLog,
    call: InvokeCall,
    state: FunctionState,
    ended: Ended,
    traceparent: string | undefined,
  ): InvocationRecord {
    const { requestId, retryNum } = call;
    const { coldStart } = ended;
    const traceId = traceIdOf(traceparent);
    const { namespace, functionName, version, memoryMb } = state;
    const record: InvocationRecord = {
      requestId,
      retryNum,
      namespace,
      functionName,
      version,
      qualifier: call.qualifier,
      appId: this.options.appId,
      source: call.source,
      invocationType: call.invocationType,
      startedAt: ended.startedAt,
      queuedMs: ended.queuedMs,
      placedMs: ended.placedMs,
      durationMs: roundMs(ended.durationMs),
      billedMs: Math.ceil(ended.durationMs),
      memoryBytes: ended.memoryBytes,
      memoryMb,
      statusCode: ended.failed?.statusCode ?? 200,
      result: cutBytes(ended.body, MAX_RECORD_RESULT_BYTES),
      ...(coldStart && { coldStart: { ...coldStart, memoryBytes: ended.initMemoryBytes } }),
      droppedLines,
      printedLines: lines.length,
      invokerId: this.options.invokerId,
      ...(traceId !== undefined && { traceId }),
    };
    const printed =
      lines.length > 0
        ? { requestId, retryNum, namespace, functionName, version, firstSeq: 0, lines }
        : undefined;
    this.options.ship(record, printed);
    return record;
  }

  private sampleBehind(instance: ExecutionInstance): void {
    const now = performance.now();
    if (now - (this.sampledAt.get(instance) ?? 0) < MEMORY_SAMPLE_MS) return;
    this.sampledAt.set(instance, now);
    void instance.sampleMemory();
  }
}
