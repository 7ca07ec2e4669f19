import type { FunctionState } from '@openscf/contracts';
import type { BootOutcome } from '../instance/instance.types.js';
import { BootQueue } from './boot.queue.js';
import { chooseEvictions } from './eviction.policy.js';
import { FunctionGroup, WAITED_TOO_LONG_MS } from './function.group.js';
import { groupKeyOf, type Acquired, type PoolInstance } from './pool.types.js';

export interface InstancePoolOptions<I extends PoolInstance> {
  readonly create: (functionKey: string, state: FunctionState) => I;
  /** Memory of the host for instances. */
  readonly memoryMb: number;
  readonly keepAliveMs: number;
  readonly bootsAtOnce: number;
  readonly log: (fields: object, message: string) => void;
}

/**
 * All instances of this host. Decides which one serves a call, when another is started, and when one goes.
 *
 * 1. The memory of all instances never exceeds `memoryMb`: a boot is admitted against those that live or are to be booted,
 *    and starts when those that are being destroyed are gone as far as it needs their room.
 * 2. Only instances in `idle` lists are evicted or reaped, and they leave the list in the same turn: work never races them.
 * 3. An instance serves only calls of its own revision; those of a retired group go when they come back.
 */
export class InstancePool<I extends PoolInstance> {
  private readonly groups = new Map<string, FunctionGroup<I>>();
  private readonly groupOf = new Map<I, FunctionGroup<I>>();
  private readonly takenAt = new WeakMap<I, number>();
  private readonly bootQueue: BootQueue;
  /** Looks after those who wait without a boot; set while there are any. */
  private patience: NodeJS.Timeout | undefined;
  /** Of instances that live or are to be booted. */
  private heldMb = 0;
  /** Of instances that are being destroyed. */
  private dyingMb = 0;
  private readonly dying = new Set<Promise<void>>();
  private closed = false;

  constructor(private readonly options: InstancePoolOptions<I>) {
    this.bootQueue = new BootQueue(options.bootsAtOnce);
  }

  /** Memory that instances hold, those that are booting or being destroyed included. */
  get usedMemoryMb(): number {
    return this.heldMb + this.dyingMb;
  }

  get size(): number {
    return this.groupOf.size;
  }

  /** The most recently used idle instance, at once; or, in time, one that boots or comes back. */
  acquire(functionKey: string, state: FunctionState): Acquired<I> | Promise<Acquired<I>> {
    if (this.closed) return { kind: 'closed' };
    const group = this.group(functionKey, state);
    const now = performance.now();
    const idle = group.takeIdle();
    if (idle !== undefined) {
      this.takenAt.set(idle, now);
      return { kind: 'instance', instance: idle };
    }
    return new Promise((resolve) => {
      group.waiting.push({ resolve, since: now });
      this.patience ??= setTimeout(() => this.lookAfterWaiting(), WAITED_TOO_LONG_MS);
      if (group.bootsNeeded(now) <= 0 || this.startBoot(group)) return;
      group.waiting.pop();
      this.dropIfEmpty(group);
      resolve({ kind: 'no-memory' });
    });
  }

  /** The invocation has been answered; `release` follows. Who comes in between waits for this instance, not for a new one. */
  settling(instance: I): void {
    const group = this.groupOf.get(instance);
    if (group !== undefined) group.settling++;
  }

  /** The instance is free again, or has ended. Follows `settling`. */
  release(instance: I): void {
    const group = this.groupOf.get(instance);
    if (group === undefined) return;
    group.settling--;
    group.wasBusy(performance.now() - (this.takenAt.get(instance) ?? 0));
    this.comeBack(group, instance);
  }

  /** Gives back an instance that was acquired and not used. */
  giveBack(instance: I): void {
    const group = this.groupOf.get(instance);
    if (group !== undefined) this.comeBack(group, instance);
  }

  /** An instance has ended by itself while it was idle. */
  lost(instance: I): void {
    const group = this.groupOf.get(instance);
    if (group === undefined) return;
    group.removeIdle(instance);
    this.discard(group, instance);
  }

  /** The function has another revision now, or is gone (`current` undefined): what serves older ones is drained. */
  retire(functionKey: string, current: FunctionState | undefined): void {
    const keep = current === undefined ? undefined : groupKeyOf(functionKey, current);
    for (const [key, group] of this.groups) {
      if (group.functionKey !== functionKey || key === keep) continue;
      group.retired = true;
      for (const instance of group.idle.splice(0)) this.discard(group, instance);
      this.dropIfEmpty(group);
    }
  }

  /** Ends what has been idle for longer than the keep-alive. */
  reap(now = performance.now()): void {
    for (const group of this.groups.values()) {
      // The oldest come first in the list.
      while (
        group.idle[0]?.idleSince !== undefined &&
        now - group.idle[0].idleSince >= this.options.keepAliveMs
      ) {
        const instance = group.idle.shift();
        if (instance !== undefined) this.discard(group, instance);
      }
    }
  }

  /** Takes no more calls and ends every instance, whatever it does. */
  async close(): Promise<void> {
    this.closed = true;
    clearTimeout(this.patience);
    for (const group of this.groups.values()) {
      for (const ticket of group.waiting.splice(0)) ticket.resolve({ kind: 'closed' });
      group.idle.splice(0);
    }
    await Promise.all([...[...this.groupOf.keys()].map((instance) => instance.destroy()), ...this.dying]);
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

  private comeBack(group: FunctionGroup<I>, instance: I): void {
    if (instance.phase !== 'idle' || this.closed) {
      this.discard(group, instance);
      this.startMissing(group);
      return;
    }
    const ticket = group.waiting.shift();
    if (ticket !== undefined) {
      this.takenAt.set(instance, performance.now());
      ticket.resolve({ kind: 'instance', instance });
    } else if (group.retired) this.discard(group, instance);
    else group.idle.push(instance);
  }

  private lookAfterWaiting(): void {
    this.patience = undefined;
    let waiting = 0;
    for (const group of this.groups.values()) {
      if (group.waiting.length === 0) continue;
      waiting++;
      this.startMissing(group);
    }
    if (waiting > 0 && !this.closed) {
      this.patience = setTimeout(() => this.lookAfterWaiting(), WAITED_TOO_LONG_MS);
    }
  }

  /** @returns false when the host has no memory for it */
  private startBoot(group: FunctionGroup<I>): boolean {
    const { memoryMb } = group.state;
    if (!this.makeRoom(memoryMb)) return false;
    this.heldMb += memoryMb;
    group.boots++;
    void this.boot(group, memoryMb);
    return true;
  }

  private async boot(group: FunctionGroup<I>, memoryMb: number): Promise<void> {
    // At its turn it may not be wanted any more: instances that came back have served who waited.
    const wanted = (): boolean => !this.closed && group.isBootWanted(performance.now());
    const ran = await this.bootQueue.run(wanted, async () => {
      group.started++;
      while (this.usedMemoryMb > this.options.memoryMb && this.dying.size > 0) await Promise.race(this.dying);
      const instance = this.options.create(group.functionKey, group.state);
      group.members.add(instance);
      this.groupOf.set(instance, group);
      const outcome = await instance.boot();
      // All of it before the next in the queue asks whether it is wanted.
      group.started--;
      group.boots--;
      this.booted(group, instance, outcome);
      return true;
    });
    if (ran) return;
    group.boots--;
    this.heldMb -= memoryMb;
    this.startMissing(group);
    this.dropIfEmpty(group);
  }

  private booted(group: FunctionGroup<I>, instance: I, outcome: BootOutcome): void {
    if (outcome.kind === 'ready') {
      this.comeBack(group, instance);
      return;
    }
    const { failure, coldStart } = outcome;
    group.waiting.shift()?.resolve({ kind: 'boot-failed', instance, failure, coldStart });
    this.discard(group, instance);
    this.startMissing(group);
  }

  /** Who waits must have something to wait for. */
  private startMissing(group: FunctionGroup<I>): void {
    while (!this.closed && group.bootsNeeded(performance.now()) > 0) {
      if (this.startBoot(group)) continue;
      group.waiting.pop()?.resolve({ kind: 'no-memory' });
    }
  }

  private discard(group: FunctionGroup<I>, instance: I): void {
    group.members.delete(instance);
    const counted = this.groupOf.delete(instance);
    this.dropIfEmpty(group);
    if (!counted) return;
    const { memoryMb } = group.state;
    this.heldMb -= memoryMb;
    this.dyingMb += memoryMb;
    const gone = instance.destroy().then(() => {
      this.dyingMb -= memoryMb;
      this.dying.delete(gone);
    });
    this.dying.add(gone);
  }

  private makeRoom(neededMb: number): boolean {
    const missingMb = this.heldMb + neededMb - this.options.memoryMb;
    if (missingMb <= 0) return true;
    const idle = [...this.groups.values()].flatMap((group) =>
      group.idle.map((instance) => ({
        instance,
        group,
        memoryMb: group.state.memoryMb,
        idleSince: instance.idleSince ?? 0,
      })),
    );
    const evictions = chooseEvictions(idle, missingMb);
    if (evictions === undefined) return false;
    for (const { instance, group } of evictions) {
      group.removeIdle(instance);
      this.options.log(
        { instance: instance.id, functionKey: group.functionKey },
        'idle instance evicted for memory',
      );
      this.discard(group, instance);
    }
    return true;
  }

  private dropIfEmpty(group: FunctionGroup<I>): void {
    if (group.isEmpty) this.groups.delete(groupKeyOf(group.functionKey, group.state));
  }
}
