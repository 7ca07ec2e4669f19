import type { Grant } from '@openscf/contracts';
import { aFunctionState } from '@openscf/testing';
import { FunctionFacts, provisionedNow, quotaPools, type QuotaPool } from './quota-pools.policy.js';

export const ACCOUNT_MB = 2_048;

/** What is deployed: three sizes, two namespaces, and time-outs of 5, 20 and 60 s. */
export const FUNCTIONS = [
  { namespace: 'a', functionName: 'small', memoryMb: 128, initTimeoutMs: 1_000, timeoutMs: 4_000 },
  { namespace: 'a', functionName: 'middle', memoryMb: 256, initTimeoutMs: 2_000, timeoutMs: 18_000 },
  { namespace: 'b', functionName: 'large', memoryMb: 512, initTimeoutMs: 10_000, timeoutMs: 50_000 },
].map((fields) => aFunctionState({ ...fields, version: '1' }));
const facts = new FunctionFacts(FUNCTIONS);

/** What the operator and the users have configured; lists go by function. */
export interface Settings {
  readonly reservedMb: readonly (number | undefined)[];
  readonly provisioned: readonly number[];
  readonly namespaceMb: Readonly<Record<string, number>>;
}

/** What a model may leave out, to show that the properties notice. */
export interface Omissions {
  /** Hosts take every grant that is newer than their last. */
  readonly fence?: boolean;
  /** A grant that shrinks does not say what earlier ones allowed. */
  readonly earlier?: boolean;
  /** A grant that has expired is forgotten at once, whatever still runs. */
  readonly runsOut?: boolean;
}

/** A record of the topic of grants. */
export interface Entry {
  readonly key: string;
  readonly grant: Grant;
}

export function poolsOf({ reservedMb, provisioned, namespaceMb }: Settings): QuotaPool[] {
  return quotaPools({
    accountMb: ACCOUNT_MB,
    namespaceMb,
    functions: facts,
    concurrency: FUNCTIONS.map((state, index) => ({ ...state, reservedMb: reservedMb[index] })),
    provisioned: FUNCTIONS.flatMap((state, index) => {
      const instances = provisioned[index] ?? 0;
      return instances === 0 ? [] : [provisionedNow(state, instances)];
    }),
  });
}
