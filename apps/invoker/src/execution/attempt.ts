import { setTimeout as delay } from 'node:timers/promises';
import type {
  ColdStart,
  FunctionState,
  InvocationRecord,
  InvokeCall,
  InvokeOutcome,
} from '@openscf/contracts';
import { refused, type DispatchResult } from '@openscf/dispatch';
import type { InstanceInvocation, InvocationEnd } from '../instance/instance.types.js';
import { InvocationLog } from './invocation.log.js';
import { errMsg, errorJson, failureOfEnd, type FunctionFailure } from './outcome.policy.js';
import { roundMs, waitedOf, type Arrival, type Waited } from './receipt.policy.js';

/** What execution needs of an instance. */
export interface ExecutionInstance {
  readonly memoryBytes: number;
  takeColdStart(): ColdStart | undefined;
  receiveLines(receiver: ((text: string) => void) | undefined): void;
  invoke(invocation: InstanceInvocation): void;
  sampleMemory(): Promise<number>;
}

export interface ExecutionRequest {
  readonly call: InvokeCall;
  readonly state: FunctionState;
  readonly event: Buffer;
  readonly arrival: Arrival;
  /** Called when the end is known, before the answer. */
  readonly onEnd: () => void;
  /** Called when the instance may serve the next one, or has ended. */
  readonly onSettled: () => void;
}

/** The facts of an attempt that has ended. */
export interface Ended extends Waited {
  readonly startedAt: number;
  readonly durationMs: number;
  readonly memoryBytes: number;
  readonly coldStart: ColdStart | undefined;
  /** In use when the attempt began: what the initialization took, if it was cold. */
  readonly initMemoryBytes: number;
  readonly failed: FunctionFailure | undefined;
  /** The result, or SCF's error JSON. */
  readonly body: Buffer;
}

/** An invocation at least this long (or a cold one) waits for a fresh look at its memory; shorter ones use the last one. */
const FRESH_MEMORY_AFTER_MS = 50;
/** The longest wait for it: an engine may take a second where a file of the kernel takes a moment. */
const FRESH_MEMORY_WAIT_MS = 100;

/**
 * One attempt on one instance.
 *
 *     begun → ended → settled
 *
 * 1. A short warm attempt is answered when it has ended; its log is closed when it has settled, behind the answer.
 * 2. Where the answer needs what comes after the end (the log's tail, a fresh reading of memory, the last words of a
 *    process that has exited), it is given when the attempt has settled. So is that of an async event: it waits for the record.
 */
export class Attempt implements InstanceInvocation {
  readonly log = new InvocationLog();
  readonly head: Readonly<Record<string, unknown>>;
  private readonly startedAt = Date.now();
  private readonly waited: Waited;
  private readonly coldStart: ColdStart | undefined;
  private readonly initMemoryBytes: number;
  private readonly beganAt: number;
  private durationMs = 0;
  private isShort = false;
  private end: InvocationEnd = { kind: 'destroyed' };
  private ended: Ended | undefined;

  constructor(
    private readonly instance: ExecutionInstance,
    private readonly request: ExecutionRequest,
    readonly traceparent: string | undefined,
    private readonly answer: (result: DispatchResult) => void,
    /** Hands record and log on; to be called once, when everything of the attempt is known. */
    private readonly close: (attempt: Attempt, ended: Ended) => InvocationRecord,
  ) {
    const { requestId } = request.call;
    this.coldStart = instance.takeColdStart();
    this.initMemoryBytes = instance.memoryBytes;
    instance.receiveLines((text) => this.log.add(text));
    this.head =
      traceparent === undefined ? { request_id: requestId } : { request_id: requestId, traceparent };
    this.beganAt = performance.now();
    this.waited = waitedOf(request.call, request.arrival, this.coldStart, this.beganAt);
  }

  get event(): Buffer {
    return this.request.event;
  }

  get timeoutMs(): number {
    return this.request.state.timeoutMs;
  }

  onEnd(end: InvocationEnd): void {
    this.end = end;
    this.durationMs = performance.now() - this.beganAt;
    this.request.onEnd();
    const { logTail, invocationType } = this.request.call;
    this.isShort = this.coldStart === undefined && this.durationMs < FRESH_MEMORY_AFTER_MS;
    if (!this.isShort || logTail || invocationType === 'Event' || end.kind === 'exited') return;
    this.ended = this.sum();
    this.answer(this.resultOf(this.ended, ''));
  }

  onSettled(): void {
    this.instance.receiveLines(undefined);
    this.request.onSettled();
    if (this.ended !== undefined) this.close(this, this.ended);
    else void this.settleLate();
  }

  private async settleLate(): Promise<void> {
    // Of an instance that has ended there is nothing more to read.
    const isAlive = this.end.kind === 'result' || this.end.kind === 'failure';
    if (isAlive && !this.isShort)
      await Promise.race([
        this.instance.sampleMemory(),
        delay(FRESH_MEMORY_WAIT_MS, undefined, { ref: false }),
      ]);
    const ended = this.sum();
    const record = this.close(this, ended);
    this.answer(this.resultOf(ended, this.request.call.logTail ? this.log.tail(record) : ''));
  }

  private sum(): Ended {
    const { call, state } = this.request;
    const failed = failureOfEnd(this.end, state, this.log.lastPrinted());
    const result = this.end.kind === 'result' ? this.end.body : undefined;
    const body =
      failed === undefined && result
        ? result
        : Buffer.from(failed ? errorJson(failed, call.requestId) : 'null');
    const { startedAt, durationMs, coldStart, initMemoryBytes } = this;
    const { memoryBytes } = this.instance;
    return { ...this.waited, startedAt, durationMs, memoryBytes, coldStart, initMemoryBytes, failed, body };
  }

  private resultOf(ended: Ended, log: string): DispatchResult {
    if (this.end.kind === 'destroyed') {
      // Nobody's fault but the platform's. It has started: whether it is tried again is for the caller to decide.
      return refused('the instance was taken down with its invoker', { retryable: false });
    }
    return { outcome: outcomeOf(ended, log), body: ended.body };
  }
}

export function outcomeOf(ended: Ended, log: string): InvokeOutcome {
  const usage = {
    queuedMs: ended.queuedMs,
    placedMs: ended.placedMs,
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
