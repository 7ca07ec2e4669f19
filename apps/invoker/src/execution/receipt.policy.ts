import type { ColdStart, InvokeCall } from '@openscf/contracts';

/** Where the time of a call went before it ran, in ms. */
export interface Waited {
  /** From when the platform took it until this invoker had it; 0 when nobody said when that was. */
  readonly queuedMs: number;
  /** From there until an instance took it, or began to boot for it. */
  readonly placedMs: number;
}

/** When a call reached this invoker, on both clocks. */
export interface Arrival {
  /** Milliseconds since the epoch. */
  readonly at: number;
  /** Of the monotonic clock. */
  readonly since: number;
}

/**
 * The clocks of two hosts may differ, so that what was waited in front of this one is never below 0.
 * `now` is of the monotonic clock: when the instance was there.
 */
export function waitedOf(
  call: Pick<InvokeCall, 'acceptedAt'>,
  arrival: Arrival,
  coldStart: Pick<ColdStart, 'totalMs'> | undefined,
  now: number,
): Waited {
  const queuedMs = call.acceptedAt === undefined ? 0 : Math.max(0, arrival.at - call.acceptedAt);
  const placedMs = Math.max(0, now - arrival.since - (coldStart?.totalMs ?? 0));
  return { queuedMs: roundMs(queuedMs), placedMs: roundMs(placedMs) };
}

/** The receipt as attributes of a span. */
export function receiptAttributes(
  { queuedMs, placedMs }: Waited,
  coldStart: ColdStart | undefined,
): Record<string, string | number | boolean> {
  const attributes = {
    'scf.queued_ms': queuedMs,
    'scf.placed_ms': placedMs,
    'faas.coldstart': coldStart !== undefined,
  };
  if (coldStart === undefined) return attributes;
  return {
    ...attributes,
    'scf.cold_reason': coldStart.reason,
    'scf.cold_pooled': coldStart.pooled,
    'scf.cold_code_ms': coldStart.pullCodeMs,
    'scf.cold_sandbox_ms': coldStart.sandboxMs,
    'scf.cold_runtime_ms': coldStart.initRuntimeMs,
    'scf.cold_init_ms': coldStart.initFunctionMs,
  };
}

export function roundMs(value: number): number {
  return Math.round(value * 1000) / 1000;
}
