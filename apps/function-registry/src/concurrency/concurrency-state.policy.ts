import type { ConcurrencyState } from '@openscf/contracts';
import type { ConcurrencyRecord } from './concurrency.types.js';

/** The key in the topic of concurrency. */
export function concurrencyKey({ namespace, functionName }: ConcurrencyRecord): string {
  return `${namespace}/${functionName}`;
}

/** What the other services need of the record; undefined when the function has nothing of its own. */
export function concurrencyStateOf(record: ConcurrencyRecord): ConcurrencyState | undefined {
  const { namespace, functionName, functionId, revision, reservedMb } = record;
  if (reservedMb === undefined && record.provisioned.length === 0) return undefined;
  const provisioned = record.provisioned.map(({ version, instances, schedule, tracking, setAt }) => ({
    version,
    instances,
    schedule,
    ...(tracking && { tracking }),
    setAt,
  }));
  return {
    namespace,
    functionName,
    functionId,
    revision,
    ...(reservedMb !== undefined && { reservedMb }),
    provisioned,
  };
}
