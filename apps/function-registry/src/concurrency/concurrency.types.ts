import type { Provisioned } from '@openscf/contracts';

/** What one version was given, with what it takes to count it in MB. */
export interface ProvisionedRecord extends Provisioned {
  memoryMb: number;
  runtime: string;
  setAt: number;
}

/** Reserved and provisioned concurrency of one function; both may be absent. */
export interface ConcurrencyRecord {
  functionId: string;
  namespace: string;
  functionName: string;
  revision: number;
  reservedMb: number | undefined;
  provisioned: ProvisionedRecord[];
}
