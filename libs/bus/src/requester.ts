import { randomUUID } from 'node:crypto';
import {
  commandReplySchema,
  commandSchema,
  commandTopic,
  REPLY_RETENTION_MS,
  replyTopic,
  UnavailableError,
  type Command,
  type CommandReply,
} from '@openscf/contracts';
import type { Logger } from '@openscf/telemetry';
import type { KafkaMessage } from 'kafkajs';
import type { BusAdmin } from './admin.js';
import type { Requester } from './bus.types.js';
import { commandHeader } from './command-header.js';
import { FollowReader } from './follow-reader.js';
import type { KafkaFactory } from './kafka.factory.js';
import type { Publisher } from './publisher.js';
import { textHeaders } from './record.codec.js';
import { retryUntilDone } from './retry.js';
import { within } from './within.js';

interface Waiting {
  resolve(reply: CommandReply): void;
  reject(error: unknown): void;
}

/**
 * Sends commands and receives the replies on a topic of its own, alone in its group, without commits. It is ready once it has its place
 * in the topic; through a lost connection it keeps that place, so a reply that was written meanwhile still arrives.
 */
export class KafkaRequester implements Requester {
  readonly ready: Promise<void>;
  private readonly topicName: string;
  /** Tells our requests from those of an earlier process with the same id. */
  private readonly epoch = randomUUID().slice(0, 8);
  private count = 0;
  private late = 0;
  private readonly waiting = new Map<string, Waiting>();
  private readonly stopping = new AbortController();
  private reader: FollowReader | undefined;
  private readonly logger: Logger;

  constructor(
    private readonly factory: KafkaFactory,
    private readonly admin: BusAdmin,
    private readonly publisher: Publisher,
    requesterId: string,
    opened: Promise<void>,
  ) {
    this.logger = factory.logger;
    this.topicName = replyTopic(requesterId);
    this.ready = this.start(opened);
  }

  get lateReplies(): number {
    return this.late;
  }

  async request(
    service: 'function-registry' | 'log',
    action: string,
    command: Command,
    { timeoutMs }: { timeoutMs: number },
  ): Promise<CommandReply> {
    const deadlineMs = Date.now() + timeoutMs;
    if (!(await within(timeoutMs, this.ready)))
      throw new UnavailableError(`${action}: Kafka is not available`);
    const correlationId = `${this.epoch}-${(this.count += 1)}`;
    const headers = {
      [commandHeader.action]: action,
      [commandHeader.correlationId]: correlationId,
      [commandHeader.replyTopic]: this.topicName,
      [commandHeader.deadline]: String(deadlineMs),
    };
    const value = JSON.stringify(commandSchema.parse(command));
    let timer: NodeJS.Timeout | undefined;
    try {
      return await new Promise<CommandReply>((resolve, reject) => {
        this.waiting.set(correlationId, { resolve, reject });
        const unanswered = new UnavailableError(
          `${action}: no answer from ${service} within ${timeoutMs} ms`,
        );
        timer = setTimeout(() => reject(unanswered), deadlineMs - Date.now());
        this.publisher.send(commandTopic(service), [{ key: null, value, headers }]).catch(reject);
      });
    } finally {
      clearTimeout(timer);
      this.waiting.delete(correlationId);
    }
  }

  async stop(): Promise<void> {
    this.stopping.abort();
    for (const { reject } of this.waiting.values()) reject(new UnavailableError('The service stops'));
    await this.reader?.stop();
  }

  private async start(opened: Promise<void>): Promise<void> {
    await opened;
    await retryUntilDone(() => this.follow(), {
      signal: this.stopping.signal,
      firstDelayMs: 50,
      maxDelayMs: 2_000,
      onError: (error) => this.logger.debug({ topic: this.topicName, error }, 'requester waits for Kafka'),
    });
    await this.reader?.following;
  }

  private async follow(): Promise<void> {
    const name = this.topicName;
    await this.admin.ensureTopics([
      { name, partitions: 1, cleanup: 'delete', retentionMs: REPLY_RETENTION_MS },
    ]);
    const offsets = await this.admin.offsets(name);
    if (this.stopping.signal.aborted) return;
    const followed = {
      name,
      start: new Map(offsets.map(({ partition, high }) => [partition, high])),
      onRecord: (_partition: number, record: KafkaMessage) => this.receive(record),
    };
    this.reader = new FollowReader(this.factory, this.admin, `replies.${this.epoch}`, [followed]);
  }

  private receive(record: KafkaMessage): void {
    const correlationId = textHeaders(record.headers)[commandHeader.correlationId] ?? '';
    const waiting = this.waiting.get(correlationId);
    if (!waiting) {
      if (correlationId.startsWith(this.epoch)) this.late += 1;
      return;
    }
    try {
      waiting.resolve(commandReplySchema.parse(JSON.parse(record.value?.toString('utf8') ?? 'null')));
    } catch (error) {
      waiting.reject(new UnavailableError('The answer cannot be read', error));
    }
  }
}
