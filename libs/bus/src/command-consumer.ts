import { commandSchema, commandTopic, type Command, type CommandReply } from '@openscf/contracts';
import { withSpan } from '@openscf/telemetry';
import type { KafkaMessage } from 'kafkajs';
import type { BusAdmin } from './admin.js';
import type { Subscription } from './bus.types.js';
import { commandHeader } from './command-header.js';
import { FlowGate } from './flow-gate.js';
import { GroupReader, type OwnedPartition } from './group-reader.js';
import type { KafkaFactory } from './kafka.factory.js';
import { KeyedPool } from './keyed-pool.js';
import type { Publisher } from './publisher.js';
import { sizeOf, textHeaders } from './record.codec.js';
import { retryUntilDone } from './retry.js';
import { within } from './within.js';

export interface IncomingCommand {
  readonly action: string;
  readonly command: Command;
}

export interface ServeCommandsOptions {
  readonly service: 'function-registry' | 'log';
  readonly concurrency: number;
  /** Must not reject: an error is a reply too. */
  readonly handle: (incoming: IncomingCommand) => Promise<CommandReply>;
}

const COMMIT_DELAY_MS = 250;
const LIMITS = { records: 1_000, bytes: 16 * 1024 * 1024 };
const STOP_MS = 10_000;

/** Reads a service's commands, and writes each reply to the topic that the command names. */
export class CommandConsumer implements Subscription {
  private readonly reader: GroupReader;
  private readonly pool: KeyedPool;
  private readonly gate: FlowGate;

  constructor(
    private readonly factory: KafkaFactory,
    admin: BusAdmin,
    private readonly publisher: Publisher,
    private readonly options: ServeCommandsOptions,
  ) {
    this.pool = new KeyedPool(options.concurrency);
    this.gate = new FlowGate(() => this.reader, LIMITS);
    this.reader = new GroupReader(factory, admin, {
      groupId: `openscf.${options.service}.commands`,
      topics: [commandTopic(options.service)],
      commitDelayMs: COMMIT_DELAY_MS,
      startOffset: () => Promise.resolve(0),
      onRecord: (owned, record) => this.take(owned, record),
      onFetched: (owned) => this.gate.fetched(owned),
      onReleased: (owned) => this.gate.released(owned),
    });
  }

  get connected(): boolean {
    return this.reader.connected;
  }

  async stop(timeoutMs = STOP_MS): Promise<void> {
    await within(timeoutMs, this.pool.close());
    await this.reader.stop();
  }

  private take(owned: OwnedPartition, record: KafkaMessage): void {
    this.gate.taken(owned, sizeOf(record));
    this.pool.add(undefined, async () => {
      await this.serve(owned, record);
      this.reader.settle(owned, record.offset);
      this.gate.settled(owned, sizeOf(record));
    });
  }

  private async serve(owned: OwnedPartition, record: KafkaMessage): Promise<void> {
    const headers = textHeaders(record.headers);
    const deadlineMs = Number(headers[commandHeader.deadline] ?? 0);
    const action = headers[commandHeader.action] ?? '';
    if (Date.now() >= deadlineMs) return;
    const command = this.read(record);
    if (!command) return;
    const parent = headers['traceparent'];
    const reply = await withSpan(`command ${action}`, { parent, kind: 'server' }, () =>
      this.options.handle({ action, command }),
    );
    await this.reply(owned, headers, reply, deadlineMs);
  }

  private read(record: KafkaMessage): Command | undefined {
    try {
      return commandSchema.parse(JSON.parse(record.value?.toString('utf8') ?? 'null'));
    } catch (error) {
      this.factory.logger.warn(
        { service: this.options.service, offset: record.offset, error },
        'command cannot be read',
      );
      return undefined;
    }
  }

  /** Tried until somebody no longer waits for it. */
  private async reply(
    owned: OwnedPartition,
    headers: Record<string, string>,
    reply: CommandReply,
    deadlineMs: number,
  ): Promise<void> {
    const topicName = headers[commandHeader.replyTopic] ?? '';
    const correlationId = headers[commandHeader.correlationId] ?? '';
    const message = {
      key: null,
      value: JSON.stringify(reply),
      headers: { [commandHeader.correlationId]: correlationId },
    };
    const untilDeadline = AbortSignal.timeout(Math.max(0, deadlineMs - Date.now()));
    await retryUntilDone(() => this.publisher.send(topicName, [message]), {
      signal: AbortSignal.any([owned.released.signal, untilDeadline]),
      onError: (error) =>
        this.factory.logger.warn({ topic: topicName, error }, 'reply not sent, trying again'),
    });
  }
}
