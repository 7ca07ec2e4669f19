import type { ColdReason, FunctionState } from '@openscf/contracts';
import type { BootOutcome } from '../instance/instance.types.js';
import type { InstancePool } from './instance-pool.js';
import type { Acquired, PoolInstance } from './pool.types.js';

const COLD = {
  reason: 'first' as const,
  pooled: false,
  sandboxMs: 0,
  totalMs: 1,
  pullCodeMs: 0,
  initRuntimeMs: 0,
  initFunctionMs: 0,
};

/** An instance whose boot and end the test decides. */
export class ScriptedInstance implements PoolInstance {
  static made = 0;
  readonly id = `i-${ScriptedInstance.made++}`;
  phase = 'creating';
  reason: string | undefined;
  private readonly booting = Promise.withResolvers<BootOutcome>();
  private readonly destroying = Promise.withResolvers<void>();

  constructor(
    readonly state: FunctionState,
    private readonly slowDestroy = false,
  ) {}

  get usable(): boolean {
    return this.phase === 'idle' || this.phase === 'busy';
  }
  boot(reason: string): Promise<BootOutcome> {
    this.reason = reason;
    this.phase = 'initializing';
    return this.booting.promise;
  }
  ready(): void {
    this.becomeIdle();
    this.booting.resolve({ kind: 'ready' });
  }
  fail(reason: ColdReason = 'first'): void {
    this.phase = 'destroying';
    const coldStart = { ...COLD, reason };
    this.booting.resolve({ kind: 'failed', failure: { kind: 'init-timed-out' }, coldStart });
  }
  becomeIdle(): void {
    this.phase = 'idle';
  }
  destroy(): Promise<void> {
    this.phase = 'destroyed';
    if (!this.slowDestroy) this.destroying.resolve();
    return this.destroying.promise;
  }
  gone(): void {
    this.destroying.resolve();
  }
}

/** One turn of the event loop: what was asked for has begun. */
export const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

/** The instance that a caller got, at work. */
export function busyInstanceOf(acquired: Acquired<ScriptedInstance>): ScriptedInstance {
  if (acquired.kind !== 'instance') throw new Error(`got ${acquired.kind}`);
  acquired.instance.phase = 'busy';
  return acquired.instance;
}

/** It has answered and is idle. */
export function finishOn(pool: InstancePool<ScriptedInstance>, instance: ScriptedInstance): void {
  pool.settling(instance);
  instance.becomeIdle();
  pool.release(instance);
}
