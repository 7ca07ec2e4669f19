import type { ColdStart, FunctionState, InvocationRecord, InvokeCall, LogLines } from '@openscf/contracts';
import { refused, type DispatchResult } from '@openscf/dispatch';
import { currentTraceparent, isTracing, traceIdOf, withSpan } from '@openscf/telemetry';
import type { BootFailure } from '../instance/instance.types.js';
import {
  Attempt,
  outcomeOf,
  roundMs,
  type Ended,
  type ExecutionInstance,
  type ExecutionRequest,
} from './attempt.js';
import { cutText, InvocationLog } from './invocation.log.js';
import {
  endLine,
  errorLine,
  initReportLine,
  reportLine,
  responseLine,
  startLine,
} from './log-text.policy.js';
import { errorJson, failureOfBoot } from './outcome.policy.js';

export interface ExecutionOptions {
  readonly invokerId: string;
  readonly appId: string;
  /** Takes what is left behind by an attempt; never waits, never throws. */
  readonly ship: (record: InvocationRecord, lines: LogLines) => void;
}

/** How often the memory of an instance with short invocations is looked at, behind the answers. */
const MEMORY_SAMPLE_MS = 1_000;
/** contracts: a record's result is cut to this length. */
const MAX_RECORD_RESULT = 8 * 1024;

/** Runs invocations on instances, writes their logs in SCF's words, and turns their ends into outcomes. */
export class ExecutionService {
  private readonly sampledAt = new WeakMap<ExecutionInstance, number>();

  constructor(private readonly options: ExecutionOptions) {}

  /** To be called with an idle instance. Never rejects. */
  run(instance: ExecutionInstance, request: ExecutionRequest): Promise<DispatchResult> {
    if (!isTracing()) return this.execute(instance, request, request.call.traceparent);
    const { call, state } = request;
    const attributes = {
      'faas.name': `${state.namespace}/${state.functionName}`,
      'faas.version': state.version,
      'faas.invocation_id': call.requestId,
    };
    return withSpan('invocation', { attributes, parent: call.traceparent, kind: 'server' }, async (span) => {
      const result = await this.execute(instance, request, currentTraceparent());
      span.setAttribute('scf.status_code', result.outcome.statusCode);
      return result;
    });
  }

  /** The instance did not become ready: a failure of the function is answered and logged as one, another is refused. */
  bootFailed(
    instance: Pick<ExecutionInstance, 'memoryBytes' | 'receiveLines'>,
    { call, state }: Pick<ExecutionRequest, 'call' | 'state'>,
    failure: BootFailure,
    coldStart: ColdStart,
  ): DispatchResult {
    const { memoryBytes } = instance;
    const log = new InvocationLog();
    log.platform(startLine(call.requestId));
    log.platform(initReportLine(call.requestId, coldStart, state.memoryMb, memoryBytes));
    instance.receiveLines((text) => log.custom(text));
    const failed = failureOfBoot(failure, state, log.lastPrinted());
    if (failed === undefined) {
      const reason = failure.kind === 'platform' ? failure.message : 'the invoker is shutting down';
      return refused(`the instance could not be started: ${reason}`, { retryable: true });
    }
    const body = Buffer.from(errorJson(failed, call.requestId));
    const ended = { startedAt: Date.now(), durationMs: 0, memoryBytes, coldStart, failed, body };
    this.close(log, call, state, ended, call.traceparent);
    return { outcome: outcomeOf(ended, call.logTail ? log.tail() : ''), body };
  }

  private execute(
    instance: ExecutionInstance,
    request: ExecutionRequest,
    traceparent: string | undefined,
  ): Promise<DispatchResult> {
    return new Promise((answer) => {
      const close = (attempt: Attempt, ended: Ended): void => {
        this.close(attempt.log, request.call, request.state, ended, traceparent);
        this.sampleBehind(instance);
      };
      instance.invoke(new Attempt(instance, request, traceparent, answer, close));
    });
  }

  /** Writes the closing lines and hands everything to shipping. */
  private close(
    log: InvocationLog,
    call: InvokeCall,
    state: FunctionState,
    ended: Ended,
    traceparent: string | undefined,
  ): void {
    const { requestId, retryNum } = call;
    const result = ended.body.toString('utf8', 0, MAX_RECORD_RESULT);
    log.noteDropped();
    if (ended.failed) log.platform(errorLine(requestId, result), 'ERROR');
    log.platform(responseLine(requestId, result));
    log.platform(endLine(requestId));
    log.platform(reportLine(requestId, ended.durationMs, state.memoryMb, ended.memoryBytes));
    const traceId = traceIdOf(traceparent);
    const { namespace, functionName, version, memoryMb } = state;
    this.options.ship(
      {
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
        durationMs: roundMs(ended.durationMs),
        billedMs: Math.ceil(ended.durationMs),
        memoryBytes: ended.memoryBytes,
        memoryMb,
        statusCode: ended.failed?.statusCode ?? 200,
        result: cutText(result, MAX_RECORD_RESULT),
        ...(ended.coldStart && { coldStart: ended.coldStart }),
        invokerId: this.options.invokerId,
        ...(traceId !== undefined && { traceId }),
      },
      { requestId, retryNum, namespace, functionName, version, lines: log.lines },
    );
  }

  private sampleBehind(instance: ExecutionInstance): void {
    const now = performance.now();
    if (now - (this.sampledAt.get(instance) ?? 0) < MEMORY_SAMPLE_MS) return;
    this.sampledAt.set(instance, now);
    void instance.sampleMemory();
  }
}
