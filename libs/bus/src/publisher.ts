import { PlatformError, UnavailableError } from '@openscf/contracts';
import { injectTrace, isTracing } from '@openscf/telemetry';
import type { Message, Producer } from 'kafkajs';
import { InvalidRecordError } from './bus.errors.js';
import type { KafkaFactory } from './kafka.factory.js';

interface Chunk {
  readonly messages: Message[];
  bytes: number;
}

interface Pending {
  readonly messages: Message[];
  readonly bytes: number;
  readonly timer: NodeJS.Timeout;
  sent: boolean;
  readonly resolve: () => void;
  readonly reject: (error: unknown) => void;
}

/** What waits for one topic. One request at a time keeps the order, and lets the next one fill meanwhile. */
interface Lane {
  readonly queue: Pending[];
  sending: boolean;
}

/** How long a record may wait for Kafka before publishing fails. */
const GIVE_UP_MS = 5_000;
/** A client whose request takes longer is given up, so that the next records get a fresh one. */
const REQUEST_MS = 6_000;
/** Kafka refuses a batch over 1 MB. */
const MAX_RECORD_BYTES = 1_000_000;
const MAX_REQUEST_BYTES = 800_000;
/** What may wait over all topics; more than Kafka takes in `GIVE_UP_MS` would only be refused later. */
const MAX_WAITING_BYTES = 64 * 1024 * 1024;

function bytesOf(message: Message): number {
  return Buffer.byteLength(message.value ?? '') + Buffer.byteLength(message.key ?? '') + 100;
}

/**
 * Writes records, acks=all. Records published in one tick, and while a request is under way, share the next request of their topic. A
 * client that failed is replaced, so that an outage leaves nothing stale behind.
 */
export class Publisher {
  private readonly lanes = new Map<string, Lane>();
  private connecting: Promise<Producer> | undefined;
  private waitingBytes = 0;
  private readonly outstanding = new Set<Promise<unknown>>();

  constructor(private readonly factory: KafkaFactory) {}

  /** Resolves when all messages are stored. @throws UnavailableError within about 5 s, InvalidRecordError */
  send(topicName: string, messages: readonly Message[]): Promise<void> {
    if (messages.length === 0) return Promise.resolve();
    const sizes = messages.map(bytesOf);
    const largest = Math.max(...sizes);
    if (largest > MAX_RECORD_BYTES) {
      return Promise.reject(
        new InvalidRecordError(
          topicName,
          `it has ${largest} bytes, at most ${MAX_RECORD_BYTES} are accepted`,
        ),
      );
    }
    const requests = chunks(messages.map(traced), sizes);
    const bytes = sizes.reduce((sum, size) => sum + size, 0);
    if (this.waitingBytes + bytes > MAX_WAITING_BYTES) {
      return Promise.reject(new UnavailableError('Kafka takes records more slowly than they come'));
    }
    return this.track(requests.map((request) => this.enqueue(topicName, request)));
  }

  /** Sends what waits (bounded by the same time-out) and disconnects. */
  async close(): Promise<void> {
    await Promise.allSettled(this.outstanding);
    await this.discard();
  }

  /** Resolves when all are stored; rejects only when none is under way any more. */
  private async track(sends: Promise<void>[]): Promise<void> {
    const all = Promise.allSettled(sends);
    this.outstanding.add(all);
    const outcomes = await all;
    this.outstanding.delete(all);
    for (const outcome of outcomes) if (outcome.status === 'rejected') throw outcome.reason;
  }

  private enqueue(topicName: string, { messages, bytes }: Chunk): Promise<void> {
    const lane = this.lanes.get(topicName) ?? { queue: [], sending: false };
    this.lanes.set(topicName, lane);
    this.waitingBytes += bytes;
    return new Promise<void>((resolve, reject) => {
      const pending: Pending = {
        messages,
        bytes,
        sent: false,
        resolve,
        reject,
        timer: setTimeout(() => this.giveUp(lane, pending), GIVE_UP_MS),
      };
      lane.queue.push(pending);
      if (!lane.sending) void this.drainLane(topicName, lane);
    }).finally(() => {
      this.waitingBytes -= bytes;
    });
  }

  private async drainLane(topicName: string, lane: Lane): Promise<void> {
    lane.sending = true;
    await new Promise((resolve) => setImmediate(resolve));
    for (let request = nextRequest(lane); request.length > 0; request = nextRequest(lane)) {
      await this.sendRequest(topicName, request);
    }
    lane.sending = false;
  }

  private async sendRequest(topic: string, request: Pending[]): Promise<void> {
    try {
      await withinMs(
        REQUEST_MS,
        this.write(
          topic,
          request.flatMap((pending) => pending.messages),
        ),
      );
      settle(request, (pending) => pending.resolve());
    } catch (error) {
      await this.discard();
      const failure = error instanceof PlatformError ? error : unavailable(topic, error);
      settle(request, (pending) => pending.reject(failure));
    }
  }

  private async write(topic: string, messages: Message[]): Promise<void> {
    const producer = await this.producer();
    await producer.send({ topic, messages, acks: -1, timeout: GIVE_UP_MS });
  }

  /** Before it was sent the record is certainly not stored; afterwards nobody knows. */
  private giveUp(lane: Lane, pending: Pending): void {
    const index = lane.queue.indexOf(pending);
    if (index >= 0) lane.queue.splice(index, 1);
    const state = pending.sent ? 'it may or may not be stored' : 'it is not stored';
    pending.reject(new UnavailableError(`Kafka did not take the record within ${GIVE_UP_MS} ms; ${state}`));
  }

  private producer(): Promise<Producer> {
    this.connecting ??= this.connect();
    return this.connecting;
  }

  private async connect(): Promise<Producer> {
    const producer = this.factory.producer();
    await producer.connect();
    return producer;
  }

  private async discard(): Promise<void> {
    const { connecting } = this;
    this.connecting = undefined;
    // Its sockets may be dead: nobody waits for them.
    await connecting
      ?.then((producer) => void producer.disconnect().catch(() => undefined))
      .catch(() => undefined);
  }
}

/** Cuts a long list into what fits into one request each. */
function chunks(messages: Message[], sizes: number[]): Chunk[] {
  const made: Chunk[] = [];
  let current: Chunk | undefined;
  messages.forEach((message, index) => {
    const size = sizes[index] ?? 0;
    if (!current || current.bytes + size > MAX_REQUEST_BYTES)
      made.push((current = { messages: [], bytes: 0 }));
    current.messages.push(message);
    current.bytes += size;
  });
  return made;
}

async function withinMs(limitMs: number, work: Promise<void>): Promise<void> {
  let timer: NodeJS.Timeout | undefined;
  const limit = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error(`no answer within ${limitMs} ms`)), limitMs);
  });
  try {
    await Promise.race([work, limit]);
  } finally {
    clearTimeout(timer);
  }
}

function settle(request: Pending[], how: (pending: Pending) => void): void {
  for (const pending of request) {
    clearTimeout(pending.timer);
    how(pending);
  }
}

/** Takes from the front what fits into one request. */
function nextRequest(lane: Lane): Pending[] {
  let bytes = 0;
  let count = 0;
  for (const pending of lane.queue) {
    if (count > 0 && bytes + pending.bytes > MAX_REQUEST_BYTES) break;
    bytes += pending.bytes;
    count += 1;
    pending.sent = true;
  }
  return lane.queue.splice(0, count);
}

function traced(message: Message): Message {
  if (!isTracing()) return message;
  const headers: Record<string, string> = {};
  injectTrace(headers);
  return { ...message, headers: { ...headers, ...message.headers } };
}

function unavailable(topic: string, error: unknown): UnavailableError {
  const reason = error instanceof Error ? error.message : String(error);
  return new UnavailableError(`Kafka did not take a record for ${topic}: ${reason}`, error);
}
