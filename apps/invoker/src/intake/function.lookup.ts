import type { FunctionState, InvokeCall } from '@openscf/contracts';
import { refused, type DispatchResult } from '@openscf/dispatch';

/** What is used of the compacted table of functions. */
export interface FunctionTable {
  get(key: string): FunctionState | undefined;
  waitFor(written: { key: string; revision: number | null }, timeoutMs: number): Promise<boolean>;
}

/** How long a call waits for a revision that its sender has seen and this invoker has not. */
const BEHIND_MS = 3_000;
/** States in which the version has code that ran before, or that is ready to. */
const RUNNABLE: ReadonlySet<string> = new Set([
  'Active',
  'Updating',
  'UpdateFailed',
  'Publishing',
  'PublishFailed',
]);

/** Finds what a call is to run. */
export class FunctionLookup {
  constructor(private readonly functions: FunctionTable) {}

  /** At once when the table is as new as the sender's, which it nearly always is. */
  find(call: InvokeCall): FunctionState | DispatchResult | Promise<FunctionState | DispatchResult> {
    const state = this.functions.get(call.functionKey);
    return state !== undefined && state.revision >= call.revision
      ? runnable(state, call)
      : this.waitFor(call);
  }

  private async waitFor(call: InvokeCall): Promise<FunctionState | DispatchResult> {
    const { functionKey, revision } = call;
    const isThere = await this.functions.waitFor({ key: functionKey, revision }, BEHIND_MS);
    const state = this.functions.get(functionKey);
    if (state === undefined) {
      return refused(`FunctionNotFound: the invoker does not know ${functionKey}`, {
        statusCode: 435,
        retryable: false,
      });
    }
    if (!isThere) {
      return refused(`the invoker does not know revision ${revision} of ${functionKey} yet`, {
        retryable: true,
      });
    }
    return runnable(state, call);
  }
}

function runnable(state: FunctionState, { web }: InvokeCall): FunctionState | DispatchResult {
  const isRightType = state.type === (web === undefined ? 'Event' : 'HTTP');
  if (isRightType && RUNNABLE.has(state.status)) return state;
  const other = web === undefined ? 'is a web function, which no event can invoke' : 'is not a web function';
  const what = isRightType ? `is ${state.status}` : other;
  return refused(`FunctionStatusError: the function ${state.functionName} ${what}`, {
    statusCode: 438,
    retryable: false,
  });
}
