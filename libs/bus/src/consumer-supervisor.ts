import { setTimeout as delay } from 'node:timers/promises';
import type { Consumer, EachBatchPayload } from 'kafkajs';
import type { GroupMember, KafkaFactory } from './kafka.factory.js';

/** What a member of a group has been given. */
export interface Joined {
  readonly memberId: string;
  readonly partitions: readonly { topic: string; partition: number }[];
}

export interface SupervisedOptions {
  /** Asked once per life of a client consumer. */
  readonly groupId: () => string;
  /** Members other than this one may be in the group, of this process's earlier lives too; true unless told. */
  readonly sharesGroup?: boolean;
  readonly topics: readonly string[];
  /** Called on every assignment, before anything of it is fetched. `seek` works from here on. */
  readonly onJoined: (joined: Joined) => void;
  /** The group changes: the last moment to commit what is settled. */
  readonly onRebalancing?: () => void;
  /** One fetched batch. It must return soon: heartbeats wait for it. */
  readonly onBatch: (payload: EachBatchPayload) => Promise<void>;
  /** True when every topic is there; until then nothing is tried. */
  readonly topicsExist: () => Promise<boolean>;
}

const FIRST_RETRY_MS = 250;
const MAX_RETRY_MS = 2_000;
/** How often it is tried to dismiss earlier members; then their sessions have to run out. */
const MAX_DISMISSALS = 10;
const ABSENT_TOPIC_POLL_MS = 1_000;
/** A consumer that neither fetches nor joins for so long is taken for stuck. Joining may take the group's rebalance time-out. */
const STUCK_MS = 40_000;
const STUCK_CHECK_MS = 5_000;
const DISCONNECT_MS = 3_000;

/**
 * Keeps one group member alive until it is stopped.
 *
 * States: waiting (topic not there, or back-off) → joining → reading → (crash, stuck, `restart`) waiting … → stopped.
 * Invariants:
 * 1. At most one client consumer exists at a time; the old one is disconnected before the next is made.
 * 2. The client never restarts itself, and never commits by itself.
 * 3. After `stop` has resolved no callback is called.
 */
export class ConsumerSupervisor {
  private consumer: Consumer | undefined;
  private reading = false;
  /** Tries in a row to dismiss earlier members. */
  private dismissals = 0;
  private readonly stopping = new AbortController();
  private lost: (reason: unknown) => void = () => undefined;
  private lastSignMs = 0;
  private readonly finished: Promise<void>;

  constructor(
    private readonly factory: KafkaFactory,
    private readonly options: SupervisedOptions,
  ) {
    this.finished = this.keepAlive();
  }

  /** True while it is a member of its group. */
  get connected(): boolean {
    return this.reading;
  }

  seek(topic: string, partition: number, offset: number): void {
    this.consumer?.seek({ topic, partition, offset: String(offset) });
  }

  pause(topic: string, partition: number): void {
    if (this.reading) this.consumer?.pause([{ topic, partitions: [partition] }]);
  }

  resume(topic: string, partition: number): void {
    if (this.reading) this.consumer?.resume([{ topic, partitions: [partition] }]);
  }

  /** @throws when the group does not accept it now, for example in the middle of a rebalance. */
  async commit(offsets: readonly { topic: string; partition: number; offset: number }[]): Promise<void> {
    if (!this.consumer || !this.reading) throw new Error('not a member of the group');
    await this.consumer.commitOffsets(offsets.map((entry) => ({ ...entry, offset: String(entry.offset) })));
  }

  /** Gives the client consumer up and makes a new one. */
  restart(reason: unknown): void {
    this.lost(reason);
  }

  async stop(): Promise<void> {
    this.stopping.abort();
    this.lost(undefined);
    await this.finished;
  }

  private async keepAlive(): Promise<void> {
    const { signal } = this.stopping;
    let failures = 0;
    while (!signal.aborted) {
      const reason = await this.readUntilLost();
      if (signal.aborted) return;
      failures = this.lastSignMs > 0 ? 1 : failures + 1;
      if (failures === 1) {
        const { topics } = this.options;
        this.factory.logger.warn({ topics, error: reason }, 'Kafka consumer lost, making a new one');
      }
      const backOffMs = Math.min(MAX_RETRY_MS, FIRST_RETRY_MS * 2 ** Math.min(failures - 1, 8));
      await delay(backOffMs, undefined, { signal }).catch(() => undefined);
    }
  }

  /** One life of one client consumer. @returns why it ended */
  private async readUntilLost(): Promise<unknown> {
    this.lastSignMs = 0;
    let watch: NodeJS.Timeout | undefined;
    try {
      await this.untilTopicsExist();
      if (this.stopping.signal.aborted) return undefined;
      const lost = new Promise<unknown>((resolve) => {
        this.lost = resolve;
      });
      const member = this.factory.consumer(this.options.groupId());
      const { consumer } = member;
      this.consumer = consumer;
      this.listen(consumer);
      const startedAtMs = Date.now();
      watch = setInterval(() => {
        if (Date.now() - Math.max(this.lastSignMs, startedAtMs) > STUCK_MS)
          this.lost(new Error('consumer is stuck'));
      }, STUCK_CHECK_MS);
      const failed = this.run(member).then(
        () => lost,
        (error: unknown) => error,
      );
      return await Promise.race([failed, lost]);
    } catch (error) {
      return error;
    } finally {
      clearInterval(watch);
      await this.discard();
    }
  }

  private async run({ consumer, dismissEarlier }: GroupMember): Promise<void> {
    await consumer.connect();
    const { sharesGroup = true } = this.options;
    if (sharesGroup && (this.dismissals += 1) <= MAX_DISMISSALS) await dismissEarlier();
    this.dismissals = 0;
    await consumer.subscribe({ topics: [...this.options.topics], fromBeginning: true });
    await consumer.run({
      autoCommit: false,
      eachBatch: async (payload) => {
        if (this.consumer === consumer && !this.stopping.signal.aborted) await this.options.onBatch(payload);
      },
    });
  }

  private listen(consumer: Consumer): void {
    const { events } = consumer;
    const sign = (): void => {
      this.lastSignMs = Date.now();
    };
    consumer.on(events.FETCH, sign);
    consumer.on(events.HEARTBEAT, sign);
    consumer.on(events.GROUP_JOIN, ({ payload }) => {
      if (this.consumer !== consumer || this.stopping.signal.aborted) return;
      sign();
      this.reading = true;
      const partitions = Object.entries(payload.memberAssignment).flatMap(([topic, ids]) =>
        ids.map((partition) => ({ topic, partition })),
      );
      this.options.onJoined({ memberId: payload.memberId, partitions });
    });
    consumer.on(events.REBALANCING, () => {
      if (this.consumer === consumer) this.options.onRebalancing?.();
    });
    consumer.on(events.CRASH, ({ payload }) => {
      if (this.consumer === consumer) this.lost(payload.error);
    });
  }

  private async untilTopicsExist(): Promise<void> {
    const { signal } = this.stopping;
    while (!signal.aborted && !(await this.options.topicsExist())) {
      await delay(ABSENT_TOPIC_POLL_MS, undefined, { signal }).catch(() => undefined);
    }
  }

  /** Leaves the group and closes the sockets; a broker that does not answer is not waited for. */
  private async discard(): Promise<void> {
    const { consumer } = this;
    this.reading = false;
    this.consumer = undefined;
    this.lost = () => undefined;
    if (!consumer) return;
    const given = new AbortController();
    const enough = delay(DISCONNECT_MS, undefined, { signal: given.signal }).catch(() => undefined);
    await Promise.race([consumer.disconnect().catch(() => undefined), enough]);
    given.abort();
  }
}
