import { INVOKER_LOST_AFTER_MS, type InvokerState } from '@openscf/contracts';
import { rendezvousWeight } from '@openscf/dispatch';

/** Is this host among the first so many that a function's calls go to, in the dispatcher's order of those that live? */
export function isAmongFirst(
  functionKey: string,
  hosts: number,
  invokerId: string,
  invokers: Iterable<InvokerState>,
  now: number,
): boolean {
  const own = rendezvousWeight(functionKey, invokerId);
  let before = 0;
  for (const other of invokers) {
    const lives = other.accepting && now - other.sentAt < INVOKER_LOST_AFTER_MS;
    const isOther = lives && other.invokerId !== invokerId;
    if (isOther && rendezvousWeight(functionKey, other.invokerId) > own) before++;
  }
  return before < hosts;
}
