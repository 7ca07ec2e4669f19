import type { ColdReason, FunctionState } from '@openscf/contracts';
import type { BootOutcome, BootTurn } from '../instance/instance.types.js';
import { BootQueue } from './boot.queue.js';
import type { ColdReasons } from './cold-reasons.js';
import type { FunctionGroup, Member } from './function.group.js';
import type { MemoryLedger } from './memory.ledger.js';
import type { PoolInstance, Refusal } from './pool.types.js';
import type { ScaleOutRate } from './scale-out.rate.js';

export interface InstanceStarterOptions<I extends PoolInstance> {
  readonly create: (functionKey: string, state: FunctionState) => I;
  readonly memory: MemoryLedger;
  readonly reasons: ColdReasons;
  readonly rate: ScaleOutRate;
  readonly bootsAtOnce: number;
  readonly now: () => number;
  readonly log: (fields: object, message: string) => void;
  readonly isClosed: () => boolean;
  /** Makes so much memory free, of instances worth less than `below`, or says that it and as much as `besidesMb` cannot be had. */
  readonly makeRoom: (neededMb: number, below?: number, besidesMb?: number) => boolean;
  /** An instance is being started. */
  readonly onMember: (member: Member<I>) => void;
  /** Its start has ended; called before the next one in the queue has its turn. */
  readonly onBooted: (member: Member<I>, outcome: BootOutcome) => void;
  /** A start was not needed any more when it had its turn. */
  readonly onUnwanted: (group: FunctionGroup<I>) => void;
}

/** After a failed start ahead the next one waits, twice as long each time. */
const AHEAD_RETRY_MS = 1_000;
const MOST_DOUBLINGS = 6;

/** Starts instances: for callers in the order of their coming, ahead of callers only where nobody waits for a start. */
export class InstanceStarter<I extends PoolInstance> {
  private readonly queue: BootQueue;

  constructor(private readonly options: InstanceStarterOptions<I>) {
    this.queue = new BootQueue(options.bootsAtOnce);
  }

  /** Is no instance being started? */
  get isQuiet(): boolean {
    return this.queue.isEmpty;
  }

  /** @returns why there is none to be had */
  startForCaller(group: FunctionGroup<I>): Refusal | undefined {
    const { memory, reasons, rate, makeRoom } = this.options;
    const { functionKey, state } = group;
    if (!makeRoom(state.memoryMb)) return { kind: 'no-memory' };
    if (!rate.take(functionKey)) return { kind: 'too-fast', perMinute: rate.perMinute };
    const others = group.members.size > 0 || group.boots > 0;
    const reason = reasons.reasonFor(functionKey, state, others);
    memory.hold(state.memoryMb);
    group.boots++;
    void this.bootForCaller(group, reason);
    return undefined;
  }

  /** @returns false when there is no room but that of instances worth `below` or more, or others wait for their starts */
  startAhead(group: FunctionGroup<I>, below?: number, besidesMb?: number): boolean {
    const { memory, makeRoom, now } = this.options;
    const { memoryMb } = group.state;
    if (now() < group.aheadAfter || !this.queue.hasRoom || group.retired) return false;
    if (!makeRoom(memoryMb, below, besidesMb)) return false;
    memory.hold(memoryMb);
    group.ahead++;
    void this.queue.run(
      () => true,
      async (turn) => {
        const { member, outcome } = await this.boot(group, 'provisioned', turn);
        group.ahead--;
        this.noteAhead(group, outcome);
        this.options.onBooted(member, outcome);
      },
    );
    return true;
  }

  /** As many as are missing of what is to be there at all times, and can be started now. */
  startProvisioned(group: FunctionGroup<I>): void {
    const isMissing = (): boolean => group.up + group.boots + group.ahead < group.provisioned;
    while (isMissing() && !this.options.isClosed()) if (!this.startAhead(group)) return;
  }

  private async bootForCaller(group: FunctionGroup<I>, reason: ColdReason): Promise<void> {
    const { isClosed, memory, onBooted, onUnwanted } = this.options;
    // At its turn it may not be wanted any more: instances that came back have served who waited.
    const wanted = (): boolean => !isClosed() && group.isBootWanted();
    const ran = await this.queue.run(wanted, async (turn) => {
      group.bootBegins();
      const { member, outcome } = await this.boot(group, reason, turn);
      group.started--;
      group.boots--;
      onBooted(member, outcome);
      return true;
    });
    if (ran) return;
    group.boots--;
    memory.giveBack(group.state.memoryMb);
    onUnwanted(group);
  }

  private async boot(
    group: FunctionGroup<I>,
    reason: ColdReason,
    turn: BootTurn,
  ): Promise<{ member: Member<I>; outcome: BootOutcome }> {
    const { memory, create, onMember, now } = this.options;
    await memory.room();
    const instance = create(group.functionKey, group.state);
    const member = group.add(instance);
    onMember(member);
    const startedAt = now();
    const outcome = await instance.boot(reason, turn);
    group.coldMs = now() - startedAt;
    return { member, outcome };
  }

  private noteAhead(group: FunctionGroup<I>, outcome: BootOutcome): void {
    if (outcome.kind === 'ready') {
      group.aheadFailures = 0;
      return;
    }
    const { failure } = outcome;
    const doublings = Math.min(MOST_DOUBLINGS, group.aheadFailures++);
    group.aheadAfter = this.options.now() + AHEAD_RETRY_MS * 2 ** doublings;
    this.options.log({ functionKey: group.functionKey, failure }, 'instance could not be started ahead');
  }
}
