import type { Provisioned } from '@openscf/contracts';
import { Cron } from 'croner';
import type { ActionRequest } from '@openscf/scf-api';
import { timerCronOf } from '../triggers/kinds/timer.policy.js';
import type { ProvisionedRecord } from './concurrency.types.js';

/** Ours: a version that is not up after so long has something wrong with it. */
const PATIENCE_MS = 10 * 60_000;

/** What PutProvisionedConcurrencyConfig asks for. */
export function newProvisioned(
  request: ActionRequest<'PutProvisionedConcurrencyConfig'>,
  now: Date,
): Provisioned & { setAt: number } {
  const { TrackingTarget: target, MinCapacity: least, MaxCapacity: most } = request;
  const tracked = request.ProvisionedType === 'ConcurrencyUtilizationTracking';
  return {
    version: request.Qualifier,
    instances: request.VersionProvisionedConcurrencyNum,
    schedule: request.TriggerActions.map((action, index) => ({
      name: action.TriggerName,
      cron: timerCronOf(action.TriggerCronConfig, now, `TriggerActions[${index}].TriggerCronConfig`),
      instances: action.TriggerProvisionedConcurrencyNum,
    })),
    ...(tracked && {
      tracking: { target: target ?? 0.5, minInstances: least ?? 1, maxInstances: most ?? least ?? 1 },
    }),
    setAt: now.getTime(),
  };
}

/** The most instances that it can ever come to; quotas are checked against that. */
export function mostInstances({ instances, schedule, tracking }: Provisioned): number {
  return Math.max(instances, tracking?.maxInstances ?? 0, ...schedule.map((action) => action.instances));
}

export function mostMb(provisioned: ProvisionedRecord): number {
  return mostInstances(provisioned) * provisioned.memoryMb;
}

/** How many hold now: the scheduled action that came last, what tracking has made of it, or what was asked for. */
export function instancesNow(
  provisioned: Provisioned & { setAt: number },
  available: number,
  now: Date,
): number {
  const { tracking, schedule, setAt } = provisioned;
  if (tracking) return Math.min(tracking.maxInstances, Math.max(tracking.minInstances, available));
  const fired = schedule
    .map(({ cron, instances }) => {
      const [last] = new Cron(cron, { timezone: 'UTC', paused: true }).previousRuns(1, now);
      return { at: last?.getTime() ?? 0, instances };
    })
    .filter(({ at }) => at >= setAt)
    .sort((a, b) => b.at - a.at);
  return fired[0]?.instances ?? provisioned.instances;
}

/** SCF's word for how far it is, with what is in the way. `fault` says why no invoker can start it at all. */
export function provisionedStatus(
  wanted: number,
  available: number,
  fault: string | undefined,
  waitedMs: number,
): { Status: 'Done' | 'InProgress' | 'Failed'; StatusReason: string } {
  if (available >= wanted) return { Status: 'Done', StatusReason: '' };
  if (fault !== undefined)
    return { Status: 'Failed', StatusReason: `The runtime cannot be started: ${fault}.` };
  const reason = `${available} of ${wanted} instances are ready`;
  if (waitedMs < PATIENCE_MS) return { Status: 'InProgress', StatusReason: reason };
  const minutes = Math.floor(waitedMs / 60_000);
  return {
    Status: 'Failed',
    StatusReason: `${reason} after ${minutes} minutes: see the function's log and the free memory of the invokers.`,
  };
}
