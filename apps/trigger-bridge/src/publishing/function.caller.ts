import {
  DEFAULT_ALIAS,
  functionKey,
  LATEST,
  type FunctionState,
  type InvokeOutcome,
  type TriggerState,
} from '@openscf/contracts';
import type { Dispatcher } from '@openscf/dispatch';
import { currentTraceparent } from '@openscf/telemetry';

/** Beyond the function's own time and its initialization: a place in a queue, code to fetch, an instance to start. */
const SLACK_MS = 15_000;

/** What is used of the compacted table of functions. */
export interface FunctionTable {
  get(key: string): FunctionState | undefined;
}

export interface TriggerCall {
  requestId: string;
  retryNum: number;
  /** JSON bytes. */
  event: Buffer;
}

/** Calls the function of a trigger and waits for its answer. */
export class FunctionCaller {
  constructor(
    private readonly functions: FunctionTable,
    private readonly dispatcher: Dispatcher,
  ) {}

  /** Never rejects: a function that is missing or not ready is an outcome too, one that later may be another. */
  async call(trigger: TriggerState, call: TriggerCall, signal: AbortSignal): Promise<InvokeOutcome> {
    const key = functionKey({
      namespace: trigger.namespace,
      functionName: trigger.functionName,
      version: versionOf(trigger.qualifier),
    });
    const state = this.functions.get(key);
    if (state === undefined || state.functionId !== trigger.functionId) {
      return notReady(`the function ${key} does not exist`, 435);
    }
    if (state.status !== 'Active') return notReady(`the function ${key} is ${state.status}`, 438);
    const traceparent = currentTraceparent();
    const { outcome } = await this.dispatcher.invoke(
      {
        requestId: call.requestId,
        functionKey: key,
        revision: state.revision,
        invocationType: 'RequestResponse',
        retryNum: call.retryNum,
        source: trigger.type,
        qualifier: trigger.qualifier,
        logTail: false,
        ...(traceparent !== undefined && { traceparent }),
      },
      call.event,
      { timeoutMs: state.timeoutMs + state.initTimeoutMs + SLACK_MS, runtime: state.runtime, signal },
    );
    return outcome;
  }
}

/** `$DEFAULT` means the version that can still change until a function has aliases of its own. */
function versionOf(qualifier: string): string {
  return qualifier === DEFAULT_ALIAS || qualifier === '' ? LATEST : qualifier;
}

function notReady(message: string, statusCode: number): InvokeOutcome {
  return { kind: 'refused', statusCode, message, retryable: true };
}
