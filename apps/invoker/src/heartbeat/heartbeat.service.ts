import { INVOKER_HEARTBEAT_MS, topics, type InvokerState, type Topic } from '@openscf/contracts';

/** What is used of the bus. */
export interface HeartbeatBus {
  publish<T>(topic: Topic<T>, messages: readonly { key: string | null; value: T | null }[]): Promise<void>;
}

export interface HeartbeatOptions {
  readonly bus: HeartbeatBus;
  /** The state of now, without `sentAt`. */
  readonly state: () => Omit<InvokerState, 'sentAt'>;
  readonly logger: {
    warn(fields: object, message: string): void;
    info(fields: object, message: string): void;
  };
}

/** Several changes within this time make one record. */
const CHANGE_MS = 50;

/** Tells callers and the scheduler that this invoker lives: every 2 s, and soon after a change. */
export class HeartbeatService {
  private timer: NodeJS.Timeout | undefined;
  private sending: Promise<void> | undefined;
  private again = false;
  private stopped = false;
  private silent = false;
  private changed: NodeJS.Timeout | undefined;

  constructor(private readonly options: HeartbeatOptions) {}

  start(): void {
    this.timer = setInterval(() => void this.send(), INVOKER_HEARTBEAT_MS);
    void this.send();
  }

  /** Something in the state that others act on is different. */
  change(): void {
    if (this.stopped) return;
    this.changed ??= setTimeout(() => {
      this.changed = undefined;
      void this.send();
    }, CHANGE_MS);
  }

  /** Sends the state now, or once more after what is being sent. Never rejects. */
  async send(): Promise<void> {
    if (this.sending !== undefined) {
      this.again = true;
      return this.sending;
    }
    this.sending = this.sendUntilCurrent();
    try {
      await this.sending;
    } finally {
      this.sending = undefined;
    }
  }

  /** The last word: a tombstone. Bounded by the bus's own time-out; never rejects. */
  async leave(): Promise<void> {
    this.stopped = true;
    clearInterval(this.timer);
    clearTimeout(this.changed);
    await this.sending;
    const { invokerId } = this.options.state();
    await this.publish(invokerId, null);
  }

  private async sendUntilCurrent(): Promise<void> {
    do {
      this.again = false;
      const state = { ...this.options.state(), sentAt: Date.now() };
      await this.publish(state.invokerId, state);
    } while (this.again && !this.stopped);
  }

  private async publish(key: string, value: InvokerState | null): Promise<void> {
    try {
      await this.options.bus.publish(topics.invokers, [{ key, value }]);
      if (this.silent) this.options.logger.info({}, 'heartbeats flow again');
      this.silent = false;
    } catch (error) {
      if (!this.silent) this.options.logger.warn({ error }, 'heartbeats do not reach Kafka');
      this.silent = true;
    }
  }
}
