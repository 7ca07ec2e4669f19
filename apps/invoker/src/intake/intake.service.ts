import type { FunctionState, InvokeCall } from '@openscf/contracts';
import { refused, type CallerPresence, type DispatchResult, type WebExchange } from '@openscf/dispatch';
import type { ExecutionInstance, ExecutionRequest } from '../execution/attempt.js';
import type { ExecutionService } from '../execution/execution.service.js';
import type { InstancePool } from '../instance-pool/instance-pool.js';
import type { Acquired, PoolInstance } from '../instance-pool/pool.types.js';
import type { WebInstance } from '../web/web-channel.types.js';
import type { WebExecutionService } from '../web/web-execution.service.js';
import type { FunctionLookup } from './function.lookup.js';
import { refusalResult } from './refusal.policy.js';

export interface IntakeDependencies<I extends ExecutionInstance & WebInstance & PoolInstance> {
  readonly lookup: FunctionLookup;
  readonly pool: InstancePool<I>;
  readonly execution: ExecutionService;
  readonly web: Pick<WebExecutionService, 'run'>;
  /** Why this host cannot run it, or undefined. */
  readonly missing: (state: FunctionState) => string | undefined;
  readonly memoryMb: number;
}

/** A call that has come in, and how it is run when there is an instance for it. */
interface Arrived<I> extends Pick<ExecutionRequest, 'call' | 'state' | 'arrival'> {
  readonly caller: CallerPresence;
  readonly run: (instance: I, slot: Pick<ExecutionRequest, 'onEnd' | 'onSettled'>) => Promise<DispatchResult>;
}

/**
 * A call's way through the invoker: function, instance (with its concurrency), execution.
 *
 * A caller that hangs up does not stop a run: it goes on to its end and is recorded and billed, as SCF does, and gives its
 * slot back then. A call that still waits for an instance is given up. A web request ends with its caller.
 */
export class IntakeService<I extends ExecutionInstance & WebInstance & PoolInstance> {
  private underWay = 0;
  private accepting = true;
  private onQuiet: (() => void) | undefined;

  constructor(private readonly dependencies: IntakeDependencies<I>) {}

  get isAccepting(): boolean {
    return this.accepting;
  }

  /** A call of an event function. Never rejects: whatever goes wrong is an outcome. */
  handle(call: InvokeCall, event: Buffer, caller: CallerPresence): Promise<DispatchResult> {
    return this.admit(call, (state, arrival) => ({
      call,
      state,
      arrival,
      caller,
      run: (instance, slot) =>
        this.dependencies.execution.run(instance, { call, state, event, arrival, ...slot }),
    }));
  }

  /** A request of a web function. Never rejects. */
  handleWeb(exchange: WebExchange): Promise<DispatchResult> {
    const { call } = exchange;
    return this.admit(call, (state, arrival) => ({
      call,
      state,
      arrival,
      caller: exchange,
      run: (instance, slot) => this.dependencies.web.run(instance, { exchange, state, arrival, ...slot }),
    }));
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

  private async admit(
    call: InvokeCall,
    arrived: (state: FunctionState, arrival: ExecutionRequest['arrival']) => Arrived<I>,
  ): Promise<DispatchResult> {
    if (!this.accepting) return refused('the invoker is shutting down', { retryable: true });
    this.underWay++;
    const arrival = { at: Date.now(), since: performance.now() };
    try {
      const found = this.dependencies.lookup.find(call);
      const state = found instanceof Promise ? await found : found;
      return 'outcome' in state ? state : await this.place(arrived(state, arrival));
    } finally {
      if (--this.underWay === 0) this.onQuiet?.();
    }
  }

  private async place(arrived: Arrived<I>): Promise<DispatchResult> {
    const { pool, missing } = this.dependencies;
    const { call, state } = arrived;
    const reason = missing(state);
    if (reason !== undefined) return refused(reason, { retryable: true });
    const asked = pool.acquire(call.functionKey, state);
    let acquired = asked instanceof Promise ? await asked : asked;
    // One that was waited for may have ended in the meantime.
    while (acquired.kind === 'instance' && !acquired.instance.usable) {
      pool.giveBack(acquired.instance);
      acquired = await pool.acquire(call.functionKey, state);
    }
    return this.run(arrived, acquired);
  }

  private run(arrived: Arrived<I>, acquired: Acquired<I>): Promise<DispatchResult> | DispatchResult {
    const { pool, execution, memoryMb } = this.dependencies;
    if (acquired.kind === 'boot-failed')
      return execution.bootFailed(acquired.instance, arrived, acquired.failure, acquired.coldStart);
    if (acquired.kind !== 'instance') return refusalResult(acquired, arrived.state, memoryMb);
    const { instance } = acquired;
    if (arrived.caller.gone) {
      pool.giveBack(instance);
      return refused('the caller has gone before the start', { statusCode: 499, retryable: false });
    }
    return arrived.run(instance, {
      onEnd: () => pool.settling(instance),
      onSettled: () => pool.release(instance),
    });
  }
}
