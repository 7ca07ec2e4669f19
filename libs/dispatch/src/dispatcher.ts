import {
  INVOKER_HEARTBEAT_MS,
  INVOKER_LOST_AFTER_MS,
  type InvokeCall,
  type InvokerState,
} from '@openscf/contracts';
import { endpointOf } from './endpoint.policy.js';
import { orderCandidates } from './invoker-choice.policy.js';
import { InvokerClient, type Delivery } from './invoker.client.js';
import { InvokerProbe } from './invoker.probe.js';
import { refused, type DispatchResult } from './outcome.factory.js';
import { OutgoingWebRequest, type WebRequestEvents } from './outgoing-web-request.js';
import type { WebCall } from './web-exchange.js';

const HEARTBEAT_LATE_MS = 2.5 * INVOKER_HEARTBEAT_MS;
const WATCH_MS = 1_000;

/** What is used of the compacted table of heartbeats. */
export interface InvokerTable {
  values(): Iterable<InvokerState>;
}

/** What is used of a logger. */
export interface DispatchLogger {
  info(fields: object, message: string): void;
  warn(fields: object, message: string): void;
}

export interface DispatcherOptions {
  readonly invokers: InvokerTable;
  readonly logger: DispatchLogger;
}

export interface InvokeOptions {
  /** The longest that the caller waits for an outcome: the function's time, its initialization and some slack. */
  readonly timeoutMs: number;
  /** API name of the function's runtime; only invokers that have it are asked. Without it every invoker is. */
  readonly runtime?: string;
  /** The caller has hung up: the promise is settled at once, the function's run goes on. */
  readonly signal?: AbortSignal;
}

interface KnownInvoker {
  state: InvokerState;
  client: InvokerClient | undefined;
  /** Set while it is silent: nothing is sent to it until it answers. */
  probe: InvokerProbe | undefined;
  readonly inFlight: number;
  readonly fresh: boolean;
}

/**
 * Sends a call to the invoker where the function is most likely warm, and on to the next ones when that has no room.
 * One connection per invoker, made on first use. Never rejects: whatever happens is an outcome.
 */
export class Dispatcher {
  private readonly known = new Map<string, KnownInvoker>();
  private closed = false;
  private readonly watcher: NodeJS.Timeout;

  constructor(private readonly options: DispatcherOptions) {
    this.watcher = setInterval(() => this.watchLate(), WATCH_MS).unref();
  }

  async invoke(call: InvokeCall, event: Buffer, options: InvokeOptions): Promise<DispatchResult> {
    let worst: DispatchResult | undefined;
    const deadlineAt = performance.now() + options.timeoutMs;
    for (const invoker of this.candidates(call.functionKey, options.runtime)) {
      if (options.signal?.aborted) return canceled();
      if (invoker.probe !== undefined) continue;
      const result = await this.attempt(invoker, call, event, deadlineAt - performance.now(), options.signal);
      const { outcome } = result;
      if (outcome.kind === 'succeeded' || outcome.kind === 'failed') return result;
      if (outcome.kind === 'refused' && !outcome.retryable) return result;
      // Throttled says more than refused: the function could have run if there were room.
      if (worst === undefined || outcome.kind === 'throttled') worst = result;
      if (performance.now() >= deadlineAt) break;
    }
    return worst ?? this.noInvoker(options.runtime);
  }

  /**
   * Sends a request of a web function; its body follows through the returned object. Another invoker is tried as for an event, as
   * long as the function has seen nothing of it. Events come in later turns of the loop.
   */
  request(
    call: WebCall,
    options: Omit<InvokeOptions, 'signal'>,
    events: WebRequestEvents,
  ): OutgoingWebRequest {
    const candidates = this.candidates(call.functionKey, options.runtime);
    const deadlineAt = performance.now() + options.timeoutMs;
    const timeoutMs = (): number => deadlineAt - performance.now();
    let tried = 0;
    const request = new OutgoingWebRequest(
      call,
      {
        next: () => {
          let invoker = candidates[tried++];
          while (invoker?.probe !== undefined) invoker = candidates[tried++];
          return invoker === undefined || timeoutMs() <= 0 ? undefined : this.clientOf(invoker);
        },
        timeoutMs,
        resultOf: (delivery) => resultOf(delivery, options.timeoutMs),
        exhausted: (worst) => worst ?? this.noInvoker(options.runtime),
      },
      events,
    );
    request.begin();
    return request;
  }

  close(): void {
    this.closed = true;
    clearInterval(this.watcher);
    for (const invoker of this.known.values()) {
      invoker.client?.close();
      invoker.probe?.close();
    }
    this.known.clear();
  }

  private async attempt(
    invoker: KnownInvoker,
    call: InvokeCall,
    event: Buffer,
    timeoutMs: number,
    signal: AbortSignal | undefined,
  ): Promise<DispatchResult> {
    return resultOf(await this.clientOf(invoker).send(call, event, timeoutMs, signal), timeoutMs);
  }

  private candidates(functionKey: string, runtime: string | undefined): KnownInvoker[] {
    const fitting: KnownInvoker[] = [];
    let listed = 0;
    for (const state of this.options.invokers.values()) {
      listed++;
      if (!state.accepting || (runtime !== undefined && !state.runtimes.includes(runtime))) continue;
      const invoker = this.knownInvoker(state);
      if (invoker.probe === undefined) fitting.push(invoker);
    }
    if (this.known.size > listed) this.forgetGone();
    return orderCandidates(functionKey, fitting);
  }

  /** Invokers that have left the table: their connections close once nothing is under way on them. */
  private forgetGone(): void {
    const listed = new Set<string>();
    for (const { invokerId } of this.options.invokers.values()) listed.add(invokerId);
    for (const [invokerId, { client, probe }] of this.known) {
      if (listed.has(invokerId) || (client?.inFlight ?? 0) > 0) continue;
      client?.close();
      probe?.close();
      this.known.delete(invokerId);
    }
  }

  private knownInvoker(state: InvokerState): KnownInvoker {
    const known = this.known.get(state.invokerId);
    if (known === undefined) {
      const made: KnownInvoker = {
        state,
        client: undefined,
        probe: undefined,
        get inFlight() {
          return this.client?.inFlight ?? 0;
        },
        get fresh() {
          return Date.now() - this.state.sentAt < INVOKER_LOST_AFTER_MS && this.client?.isDoubtful !== true;
        },
      };
      this.known.set(state.invokerId, made);
      return made;
    }
    if (known.state !== state) {
      // Another process, or the same elsewhere: what is under way on the old connection ends there.
      if (known.state.epoch !== state.epoch || known.state.address !== state.address) {
        known.client = undefined;
        known.probe?.close();
        known.probe = undefined;
      }
      known.state = state;
    }
    return known;
  }

  private clientOf(invoker: KnownInvoker): InvokerClient {
    if (invoker.client !== undefined && !invoker.client.isClosed) return invoker.client;
    const { invokerId, address } = invoker.state;
    const client = new InvokerClient(endpointOf(invoker.state), (error) => {
      if (invoker.client === client) invoker.client = undefined;
      if (this.closed) return;
      this.options.logger.warn(
        { invokerId, address, reason: error?.message },
        'connection to invoker closed',
      );
      if (client.isSilent && invoker.state.address === address) this.avoid(invoker);
    });
    invoker.client = client;
    return client;
  }

  /** Nobody should have to make a call to find out that an invoker has stopped. */
  private watchLate(): void {
    const lateBefore = Date.now() - HEARTBEAT_LATE_MS;
    for (const { invokerId, sentAt } of this.options.invokers.values()) {
      if (sentAt < lateBefore) this.known.get(invokerId)?.client?.watch();
    }
  }

  private avoid(invoker: KnownInvoker): void {
    const { invokerId, address } = invoker.state;
    invoker.probe ??= new InvokerProbe(endpointOf(invoker.state), () => {
      invoker.probe = undefined;
      this.options.logger.info({ invokerId, address }, 'invoker answers again');
    });
  }

  private noInvoker(runtime: string | undefined): DispatchResult {
    let living = 0;
    for (const state of this.options.invokers.values()) if (state.accepting) living++;
    const message =
      living > 0 && runtime !== undefined
        ? `no invoker has the runtime ${runtime}`
        : 'no invoker is available to run the function';
    return refused(message, { retryable: true });
  }
}

function resultOf(delivery: Delivery, timeoutMs: number): DispatchResult {
  switch (delivery.kind) {
    case 'answered':
      return delivery.result;
    case 'not-sent':
      return refused('the invoker cannot be reached', { retryable: true });
    case 'lost':
      return refused('the invoker was lost', { retryable: false });
    case 'late':
      return refused(`the invoker did not answer within ${Math.round(timeoutMs)} ms`, { retryable: false });
    case 'aborted':
      return canceled();
  }
}

function canceled(): DispatchResult {
  return refused('the caller has canceled the request', { statusCode: 499, retryable: false });
}
