import type { CompactedTable } from '@openscf/bus';
import { CallerError, DEFAULT_ALIAS, type FunctionState, LATEST } from '@openscf/contracts';
import { errorCodes } from '@openscf/scf-api';

/** What is used of the table of functions. */
export type FunctionTable = Pick<CompactedTable<FunctionState>, 'get'>;

/** Statuses in which there is code to run. While an update is under way, the code before it runs. */
const CALLABLE: ReadonlySet<string> = new Set<FunctionState['status']>([
  'Active',
  'Updating',
  'UpdateFailed',
  'Publishing',
  'PublishFailed',
  'DeleteFailed',
]);

/** Which version of a function a call means. */
export class RouteTable {
  constructor(private readonly functions: FunctionTable) {}

  /** Throws a CallerError when there is no such function or version, or it cannot be called now. */
  resolve(namespace: string, functionName: string, qualifier: string): FunctionState {
    const version = qualifier === DEFAULT_ALIAS ? LATEST : qualifier;
    const state = this.functions.get(`${namespace}/${functionName}/${version}`);
    if (state === undefined) throw this.missing(namespace, functionName, qualifier);
    if (CALLABLE.has(state.status)) return state;
    const what = version === LATEST ? 'The function' : `Version ${version} of the function`;
    const message = `${what} ${JSON.stringify(functionName)} has the status ${state.status}: it can be called when it is Active.`;
    throw new CallerError(errorCodes.functionStatus, message);
  }

  private missing(namespace: string, functionName: string, qualifier: string): CallerError {
    if (this.functions.get(`${namespace}/${functionName}/${LATEST}`) !== undefined)
      return noQualifier(functionName, qualifier);
    const message = `There is no function ${JSON.stringify(functionName)} in the namespace ${JSON.stringify(namespace)}.`;
    return new CallerError(errorCodes.noFunction, message);
  }
}

function noQualifier(functionName: string, qualifier: string): CallerError {
  const isVersion = /^\d+$/.test(qualifier);
  const code = isVersion ? errorCodes.noVersion : errorCodes.noQualifier;
  const what = isVersion ? 'version' : 'alias';
  return new CallerError(
    code,
    `The function ${JSON.stringify(functionName)} has no ${what} ${JSON.stringify(qualifier)}.`,
  );
}
