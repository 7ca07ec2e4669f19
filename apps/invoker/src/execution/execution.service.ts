import type { ColdStart, FunctionState, InvocationRecord, InvokeCall, LogLines } from '@openscf/contracts';
import { refused, type DispatchResult } from '@openscf/dispatch';
import { currentTraceparent, isTracing, traceIdOf, withSpan } from '@openscf/telemetry';
import type { BootFailure, InstanceInvocation, InvocationEnd } from '../instance/instance.types.js';
import { cutText, InvocationLog } from './invocation.log.js';
import {
  endLine,
  errorLine,
  initReportLine,
  reportLine,
  responseLine,
  startLine,
} from './log-text.policy.js';
import { errMsg, errorJson, failureOfBoot, failureOfEnd, type FunctionFailure } from './outcome.policy.js';

/** What execution needs of an instance. */
export interface ExecutionInstance {
  readonly memoryBytes: number;
  takeColdStart(): ColdStart | undefined;
  receiveLines(receiver: ((text: string) => void) | undefined): void;
  invoke(invocation: InstanceInvocation): void;
  sampleMemory(): Promise<number>;
}

export interface ExecutionOptions {
  readonly invokerId: string;
  readonly appId: string;
  /** Takes what is left behind by an attempt; never waits, never throws. */
  readonly ship: (record: InvocationRecord, lines: LogLines) => void;
}

export interface ExecutionRequest {
  readonly call: InvokeCall;
  readonly state: FunctionState;
  readonly event: Buffer;
  /** Called when the end is known, before the answer. */
  readonly onEnd: () => void;
  /** Called when the instance may serve the next one, or has ended. */
  readonly onSettled: () => void;
}

/** An invocation at least this long (or a cold one) waits for a fresh look at its memory; shorter ones use the last one. */
const FRESH_MEMORY_AFTER_MS = 50;
/** How often the memory of an instance with short invocations is looked at, behind the answers. */
const MEMORY_SAMPLE_MS = 1_000;
/** contracts: a record's result is cut to this length. */
const MAX_RECORD_RESULT = 8 * 1024;

/** The facts of an attempt that has ended. */
interface Ended {
  readonly startedAt: number;
  readonly durationMs: number;
  readonly memoryBytes: number;
  readonly coldStart: ColdStart | undefined;
  readonly failed: FunctionFailure | undefined;
  readonly body: Buffer;
}

/** Runs an invocation on an instance, writes its log in SCF's words, and turns its end into an outcome. */
export class ExecutionService {
  private readonly sampledAt = new WeakMap<ExecutionInstance, number>();

  constructor(private readonly options: ExecutionOptions) {}

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
    const log = new InvocationLog();
    log.platform(startLine(call.requestId));
    log.platform(initReportLine(call.requestId, coldStart, state.memoryMb, instance.memoryBytes));
    instance.receiveLines((text) => log.custom(text));
    const failed = failureOfBoot(failure, state, log.lastPrinted());
    if (failed === undefined) {
      const reason = failure.kind === 'platform' ? failure.message : 'the invoker is shutting down';
      return refused(`the instance could not be started: ${reason}`, { retryable: true });
    }
    const body = Buffer.from(errorJson(failed, call.requestId));
    const { memoryBytes } = instance;
    const ended = { startedAt: Date.now(), durationMs: 0, memoryBytes, coldStart, failed, body };
    this.close(log, call, state, ended, call.traceparent);
    return { outcome: outcomeOf(ended, call.logTail ? log.tail() : ''), body };
  }

  private execute(
    instance: ExecutionInstance,
    request: ExecutionRequest,
    traceparent: string | undefined,
  ): Promise<DispatchResult> {
    const { call, state, event } = request;
    const log = new InvocationLog();
    const startedAt = Date.now();
    const coldStart = instance.takeColdStart();
    log.platform(startLine(call.requestId));
    if (coldStart)
      log.platform(initReportLine(call.requestId, coldStart, state.memoryMb, instance.memoryBytes));
    instance.receiveLines((text) => log.custom(text));
    const head =
      traceparent === undefined
        ? { request_id: call.requestId }
        : { request_id: call.requestId, traceparent };
    return new Promise((resolve) => {
      const beganAt = performance.now();
      let end: InvocationEnd | undefined;
      let ended: Ended | undefined;
      let durationMs = 0;
      const sum = (last: InvocationEnd): Ended => {
        const failed = failureOfEnd(last, state, log.lastPrinted());
        const body =
          failed === undefined && last.kind === 'result'
            ? last.body
            : Buffer.from(failed ? errorJson(failed, call.requestId) : 'null');
        return { startedAt, durationMs, memoryBytes: instance.memoryBytes, coldStart, failed, body };
      };
      const answer = (known: Ended): void =>
        resolve({ outcome: outcomeOf(known, call.logTail ? log.tail() : ''), body: known.body });
      instance.invoke({
        head,
        event,
        timeoutMs: state.timeoutMs,
        onEnd: (known) => {
          end = known;
          durationMs = performance.now() - beganAt;
          request.onEnd();
          const isShort = coldStart === undefined && durationMs < FRESH_MEMORY_AFTER_MS;
          // Why a process has exited stands in what it printed last, which may not be here yet.
          if (!isShort || call.logTail || known.kind === 'exited') return;
          ended = sum(known);
          answer(ended);
        },
        onSettled: () => {
          instance.receiveLines(undefined);
          request.onSettled();
          if (ended !== undefined) {
            this.close(log, call, state, ended, traceparent);
            this.sampleBehind(instance);
            return;
          }
          void this.freshMemory(instance, end).then(() => {
            ended = sum(end ?? { kind: 'destroyed' });
            this.close(log, call, state, ended, traceparent);
            answer(ended);
          });
        },
      });
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
    const { namespace, functionName, version } = state;
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
        memoryMb: state.memoryMb,
        statusCode: ended.failed?.statusCode ?? 200,
        result: cutText(result, MAX_RECORD_RESULT),
        ...(ended.coldStart && { coldStart: ended.coldStart }),
        invokerId: this.options.invokerId,
        ...(traceId !== undefined && { traceId }),
      },
      { requestId, retryNum, namespace, functionName, version, lines: log.lines },
    );
  }

  private async freshMemory(instance: ExecutionInstance, end: InvocationEnd | undefined): Promise<void> {
    // Of an instance that has ended there is nothing more to read.
    if (end?.kind === 'result' || end?.kind === 'failure') await instance.sampleMemory();
  }

  private sampleBehind(instance: ExecutionInstance): void {
    const now = performance.now();
    if (now - (this.sampledAt.get(instance) ?? 0) < MEMORY_SAMPLE_MS) return;
    this.sampledAt.set(instance, now);
    void instance.sampleMemory();
  }
}

function outcomeOf(ended: Ended, log: string): DispatchResult['outcome'] {
  const usage = {
    durationMs: roundMs(ended.durationMs),
    billedMs: Math.ceil(ended.durationMs),
    memoryBytes: ended.memoryBytes,
    log,
    ...(ended.coldStart && { coldStart: ended.coldStart }),
  };
  const { failed } = ended;
  if (failed === undefined) return { kind: 'succeeded', statusCode: 200, ...usage };
  return { kind: 'failed', statusCode: failed.statusCode, message: errMsg(failed), ...usage };
}

function roundMs(value: number): number {
  return Math.round(value * 1000) / 1000;
}
