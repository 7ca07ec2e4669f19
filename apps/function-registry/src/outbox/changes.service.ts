import { Injectable } from '@nestjs/common';
import type { Kysely } from '@openscf/persistence';
import type { RegistrySchema } from '../database/registry.schema.js';
import { OutboxRelay } from './outbox-relay.service.js';
import { OutboxRepository } from './outbox.repository.js';

/** One transaction of the registry. Only repositories look into it. */
export type Transaction = Kysely<RegistrySchema>;

/** How everything in the registry is changed: rows and the records that announce them commit together. */
@Injectable()
export class Changes {
  constructor(
    private readonly outbox: OutboxRepository,
    private readonly relay: OutboxRelay,
  ) {}

  /** Runs `change` in a transaction; once it has committed, its outbox records are on their way. */
  async commit<T>(change: (tx: Transaction) => Promise<T>): Promise<T> {
    const result = await this.outbox.change(change);
    this.relay.kick();
    return result;
  }
}
