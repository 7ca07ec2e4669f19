import { functionKey as keyOf, type InvokeCall } from '@openscf/contracts';
import { refused, throttled, type CallerPresence, type DispatchResult } from '@openscf/dispatch';
import type { ExecutionInstance, ExecutionRequest } from '../execution/attempt.js';
import type { ExecutionService } from '../execution/execution.service.js';
import type { InstancePool } from '../instance-pool/instance-pool.js';
import type { Acquired, PoolInstance } from '../instance-pool/pool.types.js';
import type { QuotaMeter } from '../quota/quota.meter.js';
import type { FunctionLookup } from './function.lookup.js';

type IntakeRequest = Omit<ExecutionRequest, 'onEnd' | 'onSettled'>;

export interface IntakeDependencies<I extends ExecutionInstance & PoolInstance> {
  readonly lookup: FunctionLookup;
  readonly quota: QuotaMeter;
  readonly pool: InstancePool<I>;
  readonly execution: ExecutionService;
  /** API names of the runtimes of this host. */
  readonly hasRuntime: (name: string) => boolean;
  readonly memoryMb: number;
}

/**
 * A call's way through the invoker: function, quota, instance, execution.
 *
 * A caller that hangs up does not stop a run: it goes on to its end and is recorded and billed, as SCF does, and gives its
 * concurrency back then. A call that still waits for an instance is given up.
 */
export class IntakeService<I extends ExecutionInstance & PoolInstance> {
  private underWay = 0;
  private accepting = true;
  private onQuiet: (() => void) | undefined;

  constructor(private readonly dependencies: IntakeDependencies<I>) {}

  get isAccepting(): boolean {
    return this.accepting;
  }

  /** Never rejects: whatever goes wrong is an outcome. */
  async handle(call: InvokeCall, event: Buffer, caller: CallerPresence): Promise<DispatchResult> {
    if (!this.accepting) return refused('the invoker is shutting down', { retryable: true });
    this.underWay++;
    const arrival = { at: Date.now(), since: performance.now() };
    try {
      const found = this.dependencies.lookup.find(call);
      const state = found instanceof Promise ? await found : found;
      return 'outcome' in state ? state : await this.admit({ call, state, event, arrival }, caller);
    } finally {
      if (--this.underWay === 0) this.onQuiet?.();
    }
  }

  /** Takes nothing new; resolves when all calls have been answered, or at `deadlineMs` (ms since the epoch). */
  async stop(deadlineMs: number): Promise<void> {
    this.accepting = false;
    if (this.underWay === 0) return;
    await new Promise<void>((resolve) => {
      this.onQuiet = resolve;
      setTimeout(resolve, Math.max(0, deadlineMs - Date.now()));
    });
  }

  private async admit(request: IntakeRequest, caller: CallerPresence): Promise<DispatchResult> {
    const { call, state } = request;
    const { quota, pool, hasRuntime } = this.dependencies;
    if (!hasRuntime(state.runtime)) {
      return refused(`the invoker does not have the runtime ${state.runtime}`, { retryable: true });
    }
    const taken = quota.take(state);
    if (taken.kind === 'no-grant')
      return refused('the invoker has no concurrency granted yet', { retryable: true });
    if (taken.kind === 'over') return throttled(taken.message);
    const { give } = taken.lease;
    try {
      const asked = pool.acquire(call.functionKey, state);
      let acquired = asked instanceof Promise ? await asked : asked;
      // One that was waited for may have ended in the meantime.
      while (acquired.kind === 'instance' && acquired.instance.phase !== 'idle') {
        pool.giveBack(acquired.instance);
        acquired = await pool.acquire(call.functionKey, state);
      }
      return await this.run(request, caller, acquired, give);
    } finally {
      give();
    }
  }

  private run(
    request: IntakeRequest,
    caller: CallerPresence,
    acquired: Acquired<I>,
    give: () => void,
  ): Promise<DispatchResult> | DispatchResult {
    const { pool, execution, memoryMb } = this.dependencies;
    switch (acquired.kind) {
      case 'instance': {
        const { instance } = acquired;
        if (caller.gone) {
          pool.giveBack(instance);
          return refused('the caller has gone before the start', { statusCode: 499, retryable: false });
        }
        return execution.run(instance, {
          ...request,
          onEnd: () => {
            give();
            pool.settling(instance);
          },
          onSettled: () => pool.release(instance),
        });
      }
      case 'boot-failed':
        return execution.bootFailed(acquired.instance, request, acquired.failure, acquired.coldStart);
      case 'no-memory':
        return throttled(
          `Function [${keyOf(request.state)}] cannot start another instance: the host's ${memoryMb} MB for instances are in use`,
        );
      case 'closed':
        return refused('the invoker is shutting down', { retryable: true });
    }
  }
}
