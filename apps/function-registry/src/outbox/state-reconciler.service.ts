import { isDeepStrictEqual } from 'node:util';
import { Inject, Injectable, type OnApplicationBootstrap } from '@nestjs/common';
import { Bus } from '@openscf/bus';
import { functionKey, topics, triggerKey, type Topic } from '@openscf/contracts';
import type { Logger } from '@openscf/telemetry';
import { concurrencyKey, concurrencyStateOf } from '../concurrency/concurrency-state.policy.js';
import { ConcurrencyRepository } from '../concurrency/concurrency.repository.js';
import { CredentialsRepository } from '../credentials/credentials.repository.js';
import { stateOf } from '../functions/function-record.policy.js';
import { FunctionsRepository } from '../functions/functions.repository.js';
import { LOGGER } from '../registry.config.js';
import { TriggersRepository } from '../triggers/triggers.repository.js';
import type { Transaction } from './changes.service.js';
import { OutboxRelay } from './outbox-relay.service.js';
import { OutboxRepository } from './outbox.repository.js';

const RETRY_MS = 2_000;
const COMPARED: readonly Topic<unknown>[] = [
  topics.functions,
  topics.concurrency,
  topics.triggers,
  topics.credentials,
].map((topic) => topic as Topic<unknown>);

/**
 * At boot compares what the topics say with what the database says, and announces every difference: a topic that was lost, in whole
 * or in part, a database that came back from a backup, a record whose shape has grown. The database is right.
 */
@Injectable()
export class StateReconciler implements OnApplicationBootstrap {
  constructor(
    private readonly bus: Bus,
    private readonly outbox: OutboxRepository,
    private readonly relay: OutboxRelay,
    private readonly functions: FunctionsRepository,
    private readonly concurrency: ConcurrencyRepository,
    private readonly triggers: TriggersRepository,
    private readonly credentials: CredentialsRepository,
    @Inject(LOGGER) private readonly logger: Logger,
  ) {
    // Now, so that they are read together with the service's other tables.
    for (const topic of COMPARED) bus.table(topic);
  }

  onApplicationBootstrap(): void {
    void this.untilDone();
  }

  /** Returns how many records had to be announced. */
  async reconcile(): Promise<number> {
    await Promise.all(COMPARED.map((topic) => this.bus.table(topic).ready));
    const announced = await this.outbox.compare(async (tx) => {
      const functions = (await this.functions.all(tx)).map(
        (record) => [functionKey(record), stateOf(record)] as const,
      );
      const concurrency = (await this.concurrency.all(tx)).flatMap((record) => {
        const state = concurrencyStateOf(record);
        return state ? [[concurrencyKey(record), state] as const] : [];
      });
      const triggers = (await this.triggers.all(tx)).map(({ state }) => [triggerKey(state), state] as const);
      const credentials = (await this.credentials.all(tx)).map((state) => [state.secretId, state] as const);
      return (
        (await this.compare(tx, topics.functions, new Map(functions))) +
        (await this.compare(tx, topics.concurrency, new Map(concurrency))) +
        (await this.compare(tx, topics.triggers, new Map(triggers))) +
        (await this.compare(tx, topics.credentials, new Map(credentials)))
      );
    });
    this.relay.kick();
    return announced;
  }

  /** Keys with a record in the outbox are left out: the last of them says what is true. */
  private async compare<T>(tx: Transaction, topic: Topic<T>, wanted: Map<string, T>): Promise<number> {
    const table = this.bus.table(topic);
    const waiting = await this.outbox.waitingKeys(tx, topic.name);
    const known = new Map(table.entries());
    let announced = 0;
    for (const [key, state] of wanted) {
      if (waiting.has(key) || isDeepStrictEqual(known.get(key), asRead(state))) continue;
      await this.outbox.add(tx, topic, key, state);
      announced += 1;
    }
    for (const key of known.keys()) {
      if (waiting.has(key) || wanted.has(key)) continue;
      await this.outbox.add(tx, topic, key, null);
      announced += 1;
    }
    return announced;
  }

  private async untilDone(): Promise<void> {
    try {
      const announced = await this.reconcile();
      if (announced > 0)
        this.logger.warn({ announced }, 'topics did not say what the database says, announced again');
    } catch (error) {
      this.logger.warn({ error }, 'the topics could not be compared with the database, trying again');
      setTimeout(() => void this.untilDone(), RETRY_MS).unref();
    }
  }
}

/** As a reader of the topic sees it: JSON has no undefined. */
function asRead(state: unknown): unknown {
  return JSON.parse(JSON.stringify(state));
}
