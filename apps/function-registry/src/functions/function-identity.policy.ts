import { CallerError, DEFAULT_ALIAS, DEFAULT_NAMESPACE, LATEST } from '@openscf/contracts';
import { errorCodes } from '@openscf/scf-api';
import type { FunctionName } from './function.types.js';

/** Reads the name of a function from a request; refuses a namespace that does not exist. */
export function functionNameOf(request: { Namespace: string; FunctionName: string }): FunctionName {
  requireNamespace(request.Namespace);
  return { namespace: request.Namespace, functionName: request.FunctionName };
}

export function requireNamespace(namespace: string): void {
  if (namespace === DEFAULT_NAMESPACE) return;
  throw new CallerError(
    errorCodes.noNamespace,
    `Namespace "${namespace}" does not exist; the one that exists is "${DEFAULT_NAMESPACE}".`,
  );
}

/** The version that a qualifier means. There is one alias, and it means the version that can still change. */
export function versionOf(name: FunctionName, qualifier: string): string {
  if (qualifier === LATEST || qualifier === DEFAULT_ALIAS) return LATEST;
  if (/^\d+$/.test(qualifier)) return qualifier;
  throw new CallerError(
    errorCodes.noQualifier,
    `Function "${name.functionName}" has no version or alias "${qualifier}"; it has the version ${LATEST}, its published ones and the alias ${DEFAULT_ALIAS}.`,
  );
}

/** The published version that DeleteFunction means, or undefined for the whole function. */
export function deletableVersionOf(name: FunctionName, qualifier: string): string | undefined {
  if (qualifier === '') return undefined;
  const version = versionOf(name, qualifier);
  if (version !== LATEST) return version;
  throw new CallerError(
    errorCodes.badQualifier,
    `Qualifier "${qualifier}" is not accepted: ${LATEST} is removed together with its function, when Qualifier is left out.`,
  );
}

export function noVersionError(name: FunctionName, version: string): CallerError {
  return new CallerError(
    errorCodes.noVersion,
    `Function "${name.functionName}" has no version "${version}": ListVersionByFunction tells those that it has.`,
  );
}

export function requireFound<T>(name: FunctionName, record: T | undefined): T {
  if (record !== undefined) return record;
  throw new CallerError(
    errorCodes.noFunction,
    `Function "${name.functionName}" does not exist in namespace "${name.namespace}".`,
  );
}

export function functionExistsError(name: FunctionName): CallerError {
  return new CallerError(
    errorCodes.functionExists,
    `FunctionName "${name.functionName}" is taken: namespace "${name.namespace}" has a function of this name.`,
  );
}
