import { randomBytes, randomUUID } from 'node:crypto';

/** SCF's name of the version that can still change. */
export const LATEST = '$LATEST';
/** The alias that exists on every function and that InvokeFunction and triggers mean when they name none. */
export const DEFAULT_ALIAS = '$DEFAULT';
export const DEFAULT_NAMESPACE = 'default';

/** A request id: the same on every attempt of one event. */
export function newRequestId(): string {
  return randomUUID();
}

const BASE36 = 'abcdefghijklmnopqrstuvwxyz0123456789';

/** SCF's form of a function id: `lam-` and eight characters. A function that is deleted and made again gets another one. */
export function newFunctionId(): string {
  let id = 'lam-';
  for (const byte of randomBytes(8)) id += BASE36[byte % BASE36.length];
  return id;
}

export interface FunctionVersionName {
  namespace: string;
  functionName: string;
  version: string;
}

/** The key of one version of a function in tables and compacted topics. Names cannot contain `/`. */
export function functionKey(name: FunctionVersionName): string {
  return `${name.namespace}/${name.functionName}/${name.version}`;
}

/** The key of a trigger. One function may have several triggers of a type, each with its own name. */
export function triggerKey(t: {
  namespace: string;
  functionName: string;
  type: string;
  triggerName: string;
}): string {
  return `${t.namespace}/${t.functionName}/${t.type}/${t.triggerName}`;
}
