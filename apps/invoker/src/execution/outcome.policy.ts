import type { FunctionState } from '@openscf/contracts';
import type { SandboxExit } from '@openscf/sandbox-api';
import type { RuntimeFailure } from '../instance/channel.types.js';
import type { BootFailure, InvocationEnd } from '../instance/instance.types.js';

/** scf-api Quotas: a sync response. */
export const MAX_RESULT_BYTES = 6 * 1024 * 1024;

/** A failure in SCF's words: code and text of scf-api.md, section 5. */
export interface FunctionFailure {
  readonly statusCode: number;
  /** `errorMessage` of SCF's error JSON. */
  readonly errorMessage: string;
  readonly stackTrace: string;
}

/** Node.js aborts by itself when its heap is full, before the kernel sees the limit. */
const HEAP_FULL = /JavaScript heap out of memory|FatalProcessOutOfMemory/;

/** @returns undefined for a result that is passed on */
export function failureOfEnd(
  end: InvocationEnd,
  state: FunctionState,
  lastLines: string,
): FunctionFailure | undefined {
  switch (end.kind) {
    case 'result':
      return end.body.length > MAX_RESULT_BYTES ? tooLarge(`${end.body.length} bytes`) : undefined;
    case 'failure':
      return failureOfRuntime(end.failure, state, 'running');
    case 'timed-out':
      return failure(433, `Invoking task timed out after ${seconds(state.timeoutMs)} seconds`);
    case 'exited':
      return failureOfExit(end.exit, state, lastLines, 'running');
    case 'destroyed':
      return failure(500, 'InternalError: the instance was taken down with its invoker');
  }
}

/** @returns undefined where the platform is at fault, not the function */
export function failureOfBoot(
  boot: BootFailure,
  state: FunctionState,
  lastLines: string,
): FunctionFailure | undefined {
  switch (boot.kind) {
    case 'init-failed':
      return failureOfRuntime(boot.failure, state, 'initializing');
    case 'init-timed-out':
      return failure(
        450,
        `InitContainerTimeout: the initialization did not end within ${seconds(state.initTimeoutMs)} seconds`,
      );
    case 'exited':
      if (boot.beforeHello && !isMemory(boot.exit, lastLines)) {
        return failure(
          445,
          `ContainerInitError: the runtime exited before it was ready${exitText(boot.exit)}`,
        );
      }
      return failureOfExit(boot.exit, state, lastLines, 'initializing');
    case 'no-image':
      return boot.late
        ? failure(447, `PullImageTimeOut: ${boot.message}`)
        : failure(444, `PullImageFailed: ${boot.message}`);
    case 'platform':
    case 'destroyed':
      return undefined;
  }
}

/** libs/runtimes/README.md: what a bootstrap reports, and SCF's status for it. */
export function failureOfRuntime(
  { reason, message, stackTrace }: RuntimeFailure,
  state: Pick<FunctionState, 'timeoutMs'>,
  when: When,
): FunctionFailure {
  switch (reason) {
    case 'bootstrap-missing':
      return failure(437, `HandlerNotFound: ${message}`);
    case 'port-not-bound':
      return failure(446, `PortBindingFailed: ${message}`);
    case 'exited':
      if (when === 'initializing') return failure(445, `ContainerInitError: ${message}`);
      return failure(439, `User process exit when running: ${message}`);
    case 'not-fetched':
      return failure(433, `Invoking task timed out after ${seconds(state.timeoutMs)} seconds: ${message}`);
    case 'bad-response':
      return failure(439, message);
    case 'response-headers-too-large':
      return failure(407, message);
    case 'handler-not-found':
      return failure(437, `HandlerNotFound: ${message}`, stackTrace);
    case 'load-failed':
      return failure(443, `UserCodeError: ${message}`, stackTrace);
    case 'event-not-json':
      return failure(400, `InvalidParameterValue: the event is not JSON: ${message}`);
    case 'exception':
      // What has no trace (a job's exit code, say) has at least its message.
      return failure(430, 'user code exception caught', stackTrace || message);
    case 'result-not-json':
      return failure(430, message);
    case 'result-too-large':
      return tooLarge(message);
  }
}

/** Was the function asked to do something, or still being started? */
type When = 'running' | 'initializing';

export function failureOfExit(
  exit: SandboxExit,
  state: FunctionState,
  lastLines: string,
  when: When,
): FunctionFailure {
  if (isMemory(exit, lastLines)) {
    return failure(
      434,
      `MemoryLimitReached: the function needs more than its ${state.memoryMb} MB of memory`,
    );
  }
  return failure(439, `User process exit when ${when}${exitText(exit)}`);
}

function isMemory(exit: SandboxExit, lastLines: string): boolean {
  return (
    exit.oomKilled || ((exit.signal === 'SIGABRT' || exit.exitCode === 134) && HEAP_FULL.test(lastLines))
  );
}

function exitText({ exitCode, signal }: SandboxExit): string {
  if (exitCode !== undefined) return `: exit code ${exitCode}`;
  return signal === undefined ? '' : `: ${signal}`;
}

function tooLarge(size: string): FunctionFailure {
  return failure(407, `the response is larger than 6 MB: ${size}`);
}

function failure(statusCode: number, errorMessage: string, stackTrace = ''): FunctionFailure {
  return { statusCode, errorMessage, stackTrace };
}

function seconds(ms: number): number {
  return ms / 1000;
}

/** scf-api section 4, Result: the error JSON of a function's failure. */
export function errorJson(failed: FunctionFailure, requestId: string): string {
  return JSON.stringify({
    errorCode: -1,
    errorMessage: failed.errorMessage,
    requestId,
    stackTrace: failed.stackTrace,
    statusCode: failed.statusCode,
  });
}

/** scf-api section 4: ErrMsg is the trace where there is one. */
export function errMsg(failed: FunctionFailure): string {
  return failed.stackTrace === '' ? failed.errorMessage : failed.stackTrace;
}
