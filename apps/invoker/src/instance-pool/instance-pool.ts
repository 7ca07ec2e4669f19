import type { FunctionState } from '@openscf/contracts';
import type { BootOutcome } from '../instance/instance.types.js';
import type { QuotaTaken } from '../quota/quota.types.js';
import { ColdReasons, type WhyGone } from './cold-reasons.js';
import { chooseEvictions, type IdleInstance } from './eviction.policy.js';
import { FunctionGroup, loadOf, LOOK_MS, type Member } from './function.group.js';
import { InstanceStarter } from './instance-starter.js';
import type { KeepAlive } from './keep-alive.types.js';
import { MemoryLedger } from './memory.ledger.js';
import {
  groupKeyOf,
  type Acquired,
  type PoolInstance,
  type Refusal,
  type SpareMemory,
} from './pool.types.js';
import type { ProcessorRoom } from './processor-room.js';
import type { ScaleOutRate } from './scale-out.rate.js';

export interface InstancePoolOptions<I extends PoolInstance> {
  readonly create: (functionKey: string, state: FunctionState) => I;
  readonly quota: { take(state: FunctionState): QuotaTaken };
  readonly keepAlive: KeepAlive;
  readonly rate: ScaleOutRate;
  /** Memory of the host for instances. */
  readonly memoryMb: number;
  readonly bootsAtOnce: number;
  readonly processors: Pick<ProcessorRoom, 'look'>;
  readonly log: (fields: object, message: string) => void;
  /** Ms of a monotonic clock. */
  readonly now?: () => number;
}

interface Valued<I extends PoolInstance> extends IdleInstance {
  readonly member: Member<I>;
}

const NO_SPARE: SpareMemory = { heldMb: 0, free: () => undefined };

/**
 * All instances of this host. Decides which one serves a call, when another is started, and when one goes.
 *
 * 1. The memory of all instances never exceeds `memoryMb`: a boot is admitted against those that live or are to be booted,
 *    and starts when those that are being destroyed are gone as far as it needs their room.
 * 2. Only instances without requests are evicted or reaped, and they leave `free` in the same turn: work never races them.
 * 3. An instance serves only calls of its own revision; those of a retired group go when they come back.
 * 4. Concurrency is taken before an instance becomes busy or is started for a call, and given back when it has answered.
 */
export class InstancePool<I extends PoolInstance> {
  private readonly groups = new Map<string, FunctionGroup<I>>();
  private readonly memberOf = new Map<I, Member<I>>();
  private readonly starter: InstanceStarter<I>;
  private readonly memory: MemoryLedger;
  private readonly reasons = new ColdReasons();
  private readonly now: () => number;
  private spare = NO_SPARE;
  /** The next look at what those who wait are waiting for; set while there are any. */
  private nextLook: NodeJS.Timeout | undefined;
  private closed = false;

  constructor(private readonly options: InstancePoolOptions<I>) {
    this.memory = new MemoryLedger(options.memoryMb);
    this.now = options.now ?? (() => performance.now());
    this.starter = new InstanceStarter<I>({
      ...options,
      memory: this.memory,
      reasons: this.reasons,
      now: this.now,
      isClosed: () => this.closed,
      makeRoom: (neededMb, below, besidesMb) => this.makeRoom(neededMb, below, besidesMb),
      onMember: (member) => this.memberOf.set(member.instance, member),
      onBooted: (member, outcome) => this.booted(member, outcome),
      onUnwanted: (group) => this.startMissing(group),
    });
  }

  /** Memory that is held besides and given up when an instance needs it (the warm pool). */
  lendMemory(spare: SpareMemory): void {
    this.spare = spare;
  }

  /** Memory that instances hold, those that are booting or being destroyed included. */
  get usedMemoryMb(): number {
    return this.memory.usedMb;
  }

  get size(): number {
    return this.memberOf.size;
  }

  /** Is no instance being started, and nobody waiting for one? */
  get isQuiet(): boolean {
    return this.starter.isQuiet;
  }

  /** A slot of an instance that has one, at once; or, in time, of one that boots or becomes free. */
  acquire(functionKey: string, state: FunctionState): Acquired<I> | Promise<Acquired<I>> {
    if (this.closed) return { kind: 'closed' };
    const group = this.group(functionKey, state);
    const now = this.now();
    this.options.keepAlive.called(functionKey, now);
    const member = this.nextUsable(group);
    const refusal = this.takeLeases(group, member);
    if (refusal !== undefined) {
      this.dropIfEmpty(group);
      return refusal;
    }
    if (member !== undefined) {
      group.take(member, now);
      return { kind: 'instance', instance: member.instance };
    }
    return new Promise((resolve) => {
      group.waiting.push({ resolve });
      this.nextLook ??= setTimeout(() => this.lookAtWaiting(), LOOK_MS);
      this.startMissing(group);
    });
  }

  /** The request has been answered; `release` follows. Who comes in between waits for this slot, not for a new instance. */
  settling(instance: I): void {
    const member = this.memberOf.get(instance);
    if (member === undefined) return;
    member.group.untake(member);
    member.settling++;
    member.group.settling++;
    this.giveLeases(member.group);
  }

  /** The slot is free again, or the instance has ended. Follows `settling`. */
  release(instance: I): void {
    const member = this.memberOf.get(instance);
    if (member === undefined) return;
    const { group } = member;
    member.settling--;
    group.settling--;
    group.wasBusy(this.now() - member.takenAt);
    this.comeBack(member);
  }

  /** Gives back a slot that was acquired and not used. */
  giveBack(instance: I): void {
    const member = this.memberOf.get(instance);
    if (member === undefined) return;
    member.group.untake(member);
    this.comeBack(member);
    this.giveLeases(member.group);
  }

  /** An instance has ended by itself while it was idle. */
  lost(instance: I): void {
    const member = this.memberOf.get(instance);
    if (member === undefined) return;
    this.discard(member, 'replaced');
    this.giveLeases(member.group);
  }

  /** The function has another revision now, or is gone (`current` undefined): what serves older ones is drained. */
  retire(functionKey: string, current: FunctionState | undefined): void {
    const keep = current === undefined ? undefined : groupKeyOf(functionKey, current);
    for (const [key, group] of this.groups) {
      if (group.functionKey !== functionKey || key === keep) continue;
      group.retired = true;
      group.provisioned = 0;
      for (const member of idleOf(group)) this.discard(member, 'new-revision');
      this.dropIfEmpty(group);
    }
  }

  /** Ends what has been idle for longer than it is worth, but for what is provisioned; starts what is missing of that. */
  reap(now = this.now()): void {
    for (const group of [...this.groups.values()]) {
      for (const member of idleOf(group)) {
        const keepMs = this.options.keepAlive.keepMs(group.functionKey, member.idleSince);
        if (group.spare > 0 && now - member.idleSince >= keepMs) this.discard(member, 'idle-end');
      }
      this.starter.startProvisioned(group);
    }
    this.options.rate.forgetOld();
  }

  /** From now on so many instances of the function are there at all times, busy ones included. */
  provision(functionKey: string, state: FunctionState, count: number): void {
    if (this.closed) return;
    const group = this.group(functionKey, state);
    group.provisioned = count;
    this.starter.startProvisioned(group);
    this.dropIfEmpty(group);
  }

  /** Provisioned instances that are ready, by function. */
  get provisioned(): Record<string, number> {
    const ready: Record<string, number> = {};
    for (const group of this.groups.values()) {
      if (group.provisioned === 0) continue;
      ready[group.functionKey] = Math.min(group.provisioned, group.up);
    }
    return ready;
  }

  /**
   * Starts an instance before it is called, when there is none and nothing more valuable must go for it. For a call that is only likely, as
   * much again must be left that is free or worth less: whoever is called next does not end it at once.
   * @returns whether there is one now
   */
  prewarm(functionKey: string, state: FunctionState, isKnown: boolean): boolean {
    if (this.closed) return false;
    const group = this.group(functionKey, state);
    if (group.members.size > 0 || group.boots + group.ahead > 0) return true;
    const value = this.options.keepAlive.value(functionKey, state.memoryMb, this.now());
    const isStarted = this.starter.startAhead(group, value, isKnown ? 0 : state.memoryMb);
    this.dropIfEmpty(group);
    return isStarted;
  }

  /** Takes no more calls and ends every instance, whatever it does. */
  async close(): Promise<void> {
    this.closed = true;
    clearTimeout(this.nextLook);
    for (const group of this.groups.values()) {
      for (const ticket of group.waiting.splice(0)) ticket.resolve({ kind: 'closed' });
      group.free.splice(0);
    }
    const ended = [...this.memberOf.keys()].map((instance) => instance.destroy());
    await Promise.all([...ended, this.memory.allGone()]);
  }

  private group(functionKey: string, state: FunctionState): FunctionGroup<I> {
    const key = groupKeyOf(functionKey, state);
    let group = this.groups.get(key);
    if (group === undefined) {
      group = new FunctionGroup<I>(functionKey, state);
      this.groups.set(key, group);
    }
    return group;
  }

  private nextUsable(group: FunctionGroup<I>): Member<I> | undefined {
    for (let member = group.next(); member !== undefined; member = group.next()) {
      if (member.instance.usable) return member;
      // It has ended and is about to say so (`lost`).
      group.removeFree(member);
    }
    return undefined;
  }

  /** @returns why there is no concurrency for one more request, on this instance or on one to be started */
  private takeLeases(group: FunctionGroup<I>, member: Member<I> | undefined): Refusal | undefined {
    const busy = group.busy + (member?.requests === 0 ? 1 : 0);
    let needed = group.leasesNeeded(busy, group.waiting.length + (member === undefined ? 1 : 0));
    // A request that shares an instance begins by the grant of now, too: which of the leases is its own does not matter.
    const isShared = group.leases.length >= needed;
    if (isShared && group.leases.some((lease) => !lease.prolong())) needed = group.leases.length + 1;
    while (group.leases.length < needed) {
      const taken = this.options.quota.take(group.state);
      if (taken.kind !== 'taken') {
        this.giveLeases(group);
        return taken;
      }
      group.leases.push(taken.lease);
    }
    return undefined;
  }

  private giveLeases(group: FunctionGroup<I>): void {
    const needed = group.leasesNeeded();
    // The oldest goes: those that are left end no sooner than what runs.
    while (group.leases.length > needed) group.leases.shift()?.give();
  }

  private comeBack(member: Member<I>): void {
    const { group, instance } = member;
    if (!instance.usable || this.closed) {
      group.removeFree(member);
      if (loadOf(member) === 0) this.discard(member, 'replaced');
      this.startMissing(group);
      return;
    }
    this.serve(group, member);
    if (loadOf(member) >= group.slots) return;
    if (loadOf(member) === 0 && group.retired) {
      this.discard(member, 'new-revision');
      return;
    }
    if (loadOf(member) === 0) this.becomeIdle(member);
    group.removeFree(member);
    group.free.push(member);
  }

  /** Who waits gets what is free. */
  private serve(group: FunctionGroup<I>, member: Member<I>): void {
    while (loadOf(member) < group.slots) {
      const ticket = group.waiting.shift();
      if (ticket === undefined) return;
      group.take(member, this.now());
      ticket.resolve({ kind: 'instance', instance: member.instance });
    }
    this.giveLeases(group);
  }

  private becomeIdle(member: Member<I>): void {
    const { functionKey, coldMs } = member.group;
    member.idleSince = this.now();
    this.options.keepAlive.idle(functionKey, coldMs, member.idleSince);
  }

  private lookAtWaiting(): void {
    this.nextLook = undefined;
    let waiting = 0;
    for (const group of this.groups.values()) {
      if (group.waiting.length === 0) continue;
      waiting++;
      group.look(this.now(), this.options.processors.look());
      this.startMissing(group);
    }
    if (waiting > 0 && !this.closed) this.nextLook = setTimeout(() => this.lookAtWaiting(), LOOK_MS);
  }

  /** Who waits must have something to wait for. */
  private startMissing(group: FunctionGroup<I>): void {
    while (!this.closed && group.bootsNeeded() > 0) {
      const refusal = this.starter.startForCaller(group);
      if (refusal === undefined || group.forgoEarned()) continue;
      group.waiting.pop()?.resolve(refusal);
      this.giveLeases(group);
    }
    this.dropIfEmpty(group);
  }

  private booted(member: Member<I>, outcome: BootOutcome): void {
    const { group, instance } = member;
    if (outcome.kind === 'ready') {
      if (this.memberOf.has(instance)) group.cameUp(member);
      this.comeBack(member);
      return;
    }
    const { failure, coldStart } = outcome;
    if (coldStart.reason !== 'provisioned')
      group.waiting.shift()?.resolve({ kind: 'boot-failed', instance, failure, coldStart });
    this.discard(member, 'replaced');
    this.giveLeases(group);
    this.startMissing(group);
  }

  private discard(member: Member<I>, why: WhyGone): void {
    const { group, instance } = member;
    group.remove(member);
    if (!this.memberOf.delete(instance)) return;
    if (!group.retired) this.reasons.gone(group.functionKey, group.state, why);
    if (why === 'evicted' || why === 'idle-end') this.options.keepAlive.gone(group.functionKey);
    this.dropIfEmpty(group);
    this.memory.die(group.state.memoryMb, instance.destroy());
  }

  /** Gives up nothing in vain. @param besidesMb what must be left, free or of instances worth less than `below` */
  private makeRoom(neededMb: number, below = Infinity, besidesMb = 0): boolean {
    const { memory, spare } = this;
    if (this.chooseIdle(memory.missingFor(neededMb, 0), below, besidesMb) === undefined) return false;
    const missingMb = memory.missingFor(neededMb, spare.heldMb);
    if (missingMb > 0) spare.free(missingMb);
    const evictions = this.chooseIdle(memory.missingFor(neededMb, spare.heldMb), below);
    if (evictions === undefined) return false;
    for (const { member } of evictions) {
      const fields = { instance: member.instance.id, functionKey: member.group.functionKey };
      this.options.log(fields, 'idle instance evicted for memory');
      this.discard(member, 'evicted');
    }
    return true;
  }

  private chooseIdle(missingMb: number, below: number, besidesMb = 0): Valued<I>[] | undefined {
    if (missingMb + besidesMb <= 0) return [];
    const now = this.now();
    const idle = [...this.groups.values()].flatMap((group) =>
      idleOf(group)
        .slice(0, group.spare)
        .map((member) => this.valued(member, now)),
    );
    return chooseEvictions(idle, missingMb, below, besidesMb);
  }

  private valued(member: Member<I>, now: number): Valued<I> {
    const { functionKey, state } = member.group;
    const { memoryMb } = state;
    return {
      member,
      memoryMb,
      idleSince: member.idleSince,
      value: this.options.keepAlive.value(functionKey, memoryMb, now),
    };
  }

  private dropIfEmpty(group: FunctionGroup<I>): void {
    if (group.isEmpty) this.groups.delete(groupKeyOf(group.functionKey, group.state));
  }
}

/** Those without requests, the one idle for the longest time first. */
function idleOf<I extends PoolInstance>(group: FunctionGroup<I>): Member<I>[] {
  return group.free.filter((member) => loadOf(member) === 0);
}
