import { Injectable } from '@nestjs/common';
import { topics, triggerKey, type TriggerState, type Written } from '@openscf/contracts';
import type { Transaction } from '../outbox/changes.service.js';
import { OutboxRepository } from '../outbox/outbox.repository.js';
import { TriggersRepository } from './triggers.repository.js';

/** Announces changes of triggers, as parts of a transaction. */
@Injectable()
export class TriggerChanges {
  constructor(
    private readonly triggers: TriggersRepository,
    private readonly outbox: OutboxRepository,
  ) {}

  async announce(tx: Transaction, state: TriggerState): Promise<Written> {
    const key = triggerKey(state);
    await this.outbox.add(tx, topics.triggers, key, state);
    return { topic: topics.triggers.name, key, revision: state.revision };
  }

  async remove(tx: Transaction, state: TriggerState): Promise<Written> {
    const key = triggerKey(state);
    await this.triggers.delete(tx, state);
    await this.outbox.add(tx, topics.triggers, key, null);
    return { topic: topics.triggers.name, key, revision: null };
  }

  /** Before the function itself goes. */
  async removeAllOf(tx: Transaction, functionId: string): Promise<Written[]> {
    const written: Written[] = [];
    for (const { state } of await this.triggers.ofFunction(functionId, tx))
      written.push(await this.remove(tx, state));
    return written;
  }
}
