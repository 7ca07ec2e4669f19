import { CallerError, type InvokerState } from '@openscf/contracts';
import { errorCodes, IMAGE_RUNTIME, RUNTIMES } from '@openscf/scf-api';

type Runtimes = Pick<InvokerState, 'runtimes' | 'missingRuntimes'>;

/** Every name that is accepted: the API's own, and those that an invoker knows besides. */
export function acceptedRuntimes(invokers: readonly Runtimes[]): Set<string> {
  const known = invokers.flatMap(({ runtimes, missingRuntimes }) => [
    ...runtimes,
    ...Object.keys(missingRuntimes),
  ]);
  return new Set([...RUNTIMES, ...known]);
}

/** Refuses names that no one knows. */
export function requireRuntimeName(
  field: string,
  runtime: string,
  invokers: readonly Runtimes[],
  code: string,
): void {
  const accepted = acceptedRuntimes(invokers);
  if (accepted.has(runtime) || runtime === IMAGE_RUNTIME) return;
  const message = `${field} "${runtime}" is not accepted: it must be one of ${[...accepted].join(', ')}.`;
  throw new CallerError(code, message);
}

/** Why none of the invokers can start the runtime; undefined when one can, or when there is none to ask. */
export function runtimeFault(runtime: string, invokers: readonly Runtimes[]): string | undefined {
  if (invokers.length === 0 || invokers.some(({ runtimes }) => runtimes.includes(runtime))) return undefined;
  const reasons = invokers.map(({ missingRuntimes }) => missingRuntimes[runtime]);
  // Images are the invoker's own work and need no entry among its runtimes.
  if (runtime === IMAGE_RUNTIME && reasons.includes(undefined)) return undefined;
  const known = [...new Set(reasons.filter((reason) => reason !== undefined))];
  if (known.length > 0) return known.join('; ');
  const there = [...new Set(invokers.flatMap(({ runtimes }) => runtimes))].sort();
  return `no invoker has it (${there.length === 0 ? 'they have no runtime at all' : `they have ${there.join(', ')}`})`;
}

/** For a new function: its runtime is known, and can be started by an invoker that is alive. Without any invoker it is taken on trust. */
export function requireRuntime(runtime: string, invokers: readonly Runtimes[]): void {
  requireRuntimeName('Runtime', runtime, invokers, errorCodes.badRuntime);
  const fault = runtimeFault(runtime, invokers);
  if (fault === undefined) return;
  throw new CallerError(errorCodes.createFailed, `Runtime "${runtime}" cannot be started here: ${fault}.`);
}
