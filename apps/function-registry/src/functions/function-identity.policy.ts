import { CallerError, DEFAULT_ALIAS, DEFAULT_NAMESPACE, LATEST } from '@openscf/contracts';
import { errorCodes } from '@openscf/scf-api';
import type { FunctionName, FunctionRecord } from './function.types.js';

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

/** Refuses what names neither the one version nor the alias of it. */
export function requireQualifier(name: FunctionName, qualifier: string): void {
  if (qualifier === LATEST || qualifier === DEFAULT_ALIAS) return;
  const known = `it has the version ${LATEST} and the alias ${DEFAULT_ALIAS}`;
  if (/^\d+$/.test(qualifier)) {
    throw new CallerError(
      errorCodes.noVersion,
      `Function "${name.functionName}" has no version "${qualifier}"; ${known}.`,
    );
  }
  throw new CallerError(
    errorCodes.noQualifier,
    `Function "${name.functionName}" has no version or alias "${qualifier}"; ${known}.`,
  );
}

export function requireFound(name: FunctionName, record: FunctionRecord | undefined): FunctionRecord {
  if (record) return record;
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
