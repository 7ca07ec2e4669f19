import { chooseEvictions, type IdleInstance } from '../instance-pool/eviction.policy.js';
import type { KeepAlive, StartAhead } from '../instance-pool/keep-alive.types.js';

export interface SimulatedCall {
  readonly at: number;
  readonly functionKey: string;
}

export interface SimulatedHost {
  readonly memoryMb: number;
  /** How long each call takes. */
  readonly callMs?: number;
}

export interface SimulatedStarts {
  /** Calls that found no instance ready. */
  readonly cold: number;
  /** Starts for no call. */
  readonly ahead: number;
  /** Memory held, in the mean of the time. */
  readonly meanMb: number;
}

interface SimulatedInstance extends IdleInstance {
  readonly functionKey: string;
  /** When it has started, or its call has ended. */
  idleSince: number;
  /** Has the policy been told that it is idle? */
  isTold: boolean;
}

/** All functions alike: what is compared is which of them are there. */
const MEMORY_MB = 128;
const COLD_MS = 300;
const TICK_MS = 1_000;

/** A host in simulated time, for comparing policies. An instance serves one call at a time and is of use when it has started. */
class HostSimulation {
  private readonly instances = new Set<SimulatedInstance>();
  private readonly callMs: number;
  private cold = 0;
  private ahead = 0;
  private heldMb = 0;

  constructor(
    private readonly policy: KeepAlive,
    private readonly host: SimulatedHost,
  ) {
    this.callMs = host.callMs ?? 0;
  }

  run(calls: readonly SimulatedCall[]): SimulatedStarts {
    let ticks = 0;
    for (const { at, functionKey } of calls) {
      for (; ticks * TICK_MS <= at; ticks++) this.pass(ticks * TICK_MS);
      this.tellIdle(at);
      this.call(functionKey, at);
    }
    const { cold, ahead, heldMb } = this;
    return { cold, ahead, meanMb: heldMb / ticks };
  }

  private call(functionKey: string, now: number): void {
    this.policy.called(functionKey, now);
    let found = this.find(functionKey, now);
    if (found === undefined) {
      this.cold++;
      if (!this.makeRoom(now)) return;
      found = this.start(functionKey, now);
    }
    found.idleSince = Math.max(now, found.idleSince) + this.callMs;
    found.isTold = false;
    this.tellIdle(now);
  }

  private find(functionKey: string, now: number): SimulatedInstance | undefined {
    for (const each of this.instances)
      if (each.functionKey === functionKey && each.idleSince <= now) return each;
    return undefined;
  }

  private pass(now: number): void {
    const { policy } = this;
    this.tellIdle(now);
    for (const each of this.instances)
      if (now - each.idleSince >= policy.keepMs(each.functionKey, each.idleSince)) this.end(each);
    for (const due of policy.due(now)) {
      if ([...this.instances].some(({ functionKey }) => functionKey === due.functionKey)) continue;
      if (!this.startAhead(due, now) && !due.isKnown) break;
    }
    this.heldMb += this.instances.size * MEMORY_MB;
  }

  private startAhead({ functionKey, isKnown }: StartAhead, now: number): boolean {
    const value = this.policy.value(functionKey, MEMORY_MB, now);
    if (!this.makeRoom(now, value, isKnown ? 0 : MEMORY_MB)) return false;
    this.start(functionKey, now);
    this.ahead++;
    return true;
  }

  private start(functionKey: string, now: number): SimulatedInstance {
    const made = { functionKey, memoryMb: MEMORY_MB, value: 0, idleSince: now + COLD_MS, isTold: false };
    this.instances.add(made);
    return made;
  }

  private end(instance: SimulatedInstance): void {
    this.instances.delete(instance);
    this.policy.gone(instance.functionKey);
  }

  private makeRoom(now: number, below = Infinity, besidesMb = 0): boolean {
    const missingMb = (this.instances.size + 1) * MEMORY_MB - this.host.memoryMb;
    if (missingMb + besidesMb <= 0) return true;
    const idle = [...this.instances]
      .filter(({ idleSince }) => idleSince <= now)
      .map((each) => ({ ...each, each, value: this.policy.value(each.functionKey, MEMORY_MB, now) }));
    const evictions = chooseEvictions(idle, missingMb, below, besidesMb);
    for (const { each } of evictions ?? []) this.end(each);
    return evictions !== undefined;
  }

  private tellIdle(now: number): void {
    for (const each of this.instances) {
      if (each.isTold || each.idleSince > now) continue;
      each.isTold = true;
      this.policy.idle(each.functionKey, COLD_MS, each.idleSince);
    }
  }
}

/** Runs calls, which come in the order of their time, on a host that starts out empty. */
export function simulateHost(
  calls: readonly SimulatedCall[],
  policy: KeepAlive,
  host: SimulatedHost,
): SimulatedStarts {
  return new HostSimulation(policy, host).run(calls);
}
