import {
  functionKey,
  quotaPool,
  type ConcurrencyState,
  type FunctionState,
  type Grant,
  type InvokerState,
} from '@openscf/contracts';
import { provisionedNow, type ProvisionedNow, type QuotaPool } from '../grants/quota-pools.policy.js';
import { place, type Placed } from './placement.policy.js';
import { ProvisioningSchedule } from './schedule.policy.js';
import { StartRate } from './start-rate.policy.js';
import { UtilizationTracking } from './tracking.policy.js';

interface Rows<T> {
  get(key: string): T | undefined;
  values(): Iterable<T>;
}

export interface ProvisionerOptions {
  readonly functions: Rows<FunctionState>;
  readonly concurrency: Rows<ConcurrencyState>;
  readonly startsPerMinute: number;
}

/** A moment, as the one who grants sees it. */
export interface ProvisioningView {
  readonly now: number;
  /** Those that live. */
  readonly invokers: readonly InvokerState[];
  readonly book: { get(invokerId: string): Grant | undefined };
}

/** Versions whose code can be started. */
const STARTABLE: ReadonlySet<string> = new Set<FunctionState['status']>([
  'Active',
  'Updating',
  'UpdateFailed',
]);

/**
 * Provisioned concurrency: how many instances of which version are to stand ready now, and where.
 *
 * What holds is derived from configuration, schedule, heartbeats and what was granted, each time anew. In memory there is only
 * what makes it calmer: a cool-down and the rate of starts. So whoever takes over goes on.
 */
export class Provisioner {
  private readonly schedule = new ProvisioningSchedule();
  private readonly tracking = new UtilizationTracking();
  private readonly rate: StartRate;

  constructor(private readonly options: ProvisionerOptions) {
    this.rate = new StartRate(options.startsPerMinute);
  }

  /** How many instances of each version are wanted now. */
  wanted(view: ProvisioningView): ProvisionedNow[] {
    const wanted: ProvisionedNow[] = [];
    for (const concurrency of this.options.concurrency.values()) {
      for (const provisioned of concurrency.provisioned) {
        const key = functionKey({ ...concurrency, version: provisioned.version });
        const state = this.options.functions.get(key);
        if (state === undefined || state.functionId !== concurrency.functionId) continue;
        if (!STARTABLE.has(state.status)) continue;
        const instances = this.schedule.instances(provisioned, view.now);
        const { tracking } = provisioned;
        wanted.push(
          provisionedNow(
            state,
            tracking === undefined
              ? instances
              : this.tracking.instances(key, { tracking, instances, ...usage(key, state, view) }),
          ),
        );
      }
    }
    this.tracking.keep(new Set(wanted.map((version) => version.functionKey)));
    return wanted.filter(({ instances }) => instances > 0);
  }

  /** Where they stand, as far as there is quota for them; new ones at the rate that is allowed. */
  place(pools: readonly QuotaPool[], { now, invokers, book }: ProvisioningView): Placed {
    const versions = pools.flatMap(({ provisioned, quotaMb, unitMb }) => {
      const state = provisioned === undefined ? undefined : this.options.functions.get(provisioned);
      if (provisioned === undefined || state === undefined) return [];
      const instances = quotaMb / unitMb;
      return [{ functionKey: provisioned, runtime: state.runtime, memoryMb: unitMb, instances }];
    });
    const { placed, started } = place({
      versions,
      invokers,
      current: new Map(invokers.map((invoker) => [invoker.invokerId, keptBy(invoker, book)])),
      startsAllowed: this.rate.allowed(now),
    });
    this.rate.started(started);
    return placed;
  }
}

/** What a live invoker was told to keep. */
function keptBy(invoker: InvokerState, book: ProvisioningView['book']): Readonly<Record<string, number>> {
  const grant = book.get(invoker.invokerId);
  return grant?.epoch === invoker.epoch ? grant.provisioned : {};
}

function usage(
  key: string,
  { memoryMb }: FunctionState,
  { now, invokers, book }: ProvisioningView,
): { current: number; busy: number; now: number } {
  let current = 0;
  let busyMb = 0;
  for (const invoker of invokers) {
    current += keptBy(invoker, book)[key] ?? 0;
    busyMb += invoker.quotas?.[quotaPool.provisioned(key)]?.peakMb ?? 0;
  }
  return { current, busy: busyMb / memoryMb, now };
}
