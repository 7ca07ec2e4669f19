import { Injectable } from '@nestjs/common';
import { CallerError, topics, type Written } from '@openscf/contracts';
import { errorCodes } from '@openscf/scf-api';
import type { FunctionRecord } from '../functions/function.types.js';
import { FunctionsRepository } from '../functions/functions.repository.js';
import type { Transaction } from '../outbox/changes.service.js';
import { OutboxRepository } from '../outbox/outbox.repository.js';
import { concurrencyKey, concurrencyStateOf } from './concurrency-state.policy.js';
import { ConcurrencyRepository } from './concurrency.repository.js';

/** Announces changes of concurrency, as parts of a transaction. They touch no revision of a function: no instance is replaced. */
@Injectable()
export class ConcurrencyChanges {
  constructor(
    private readonly concurrency: ConcurrencyRepository,
    private readonly functions: FunctionsRepository,
    private readonly outbox: OutboxRepository,
  ) {}

  /** What the function has now, or that it has nothing any more. */
  async announce(tx: Transaction, functionId: string): Promise<Written> {
    await this.concurrency.setRevision(tx, functionId, await this.functions.nextRevision(tx));
    const record = await this.concurrency.of(functionId, tx);
    if (!record) throw new Error(`Function ${functionId} has gone while it was locked.`);
    const state = concurrencyStateOf(record);
    const key = concurrencyKey(record);
    await this.outbox.add(tx, topics.concurrency, key, state ?? null);
    return { topic: topics.concurrency.name, key, revision: state?.revision ?? null };
  }

  /** Before the function itself goes. */
  async announceGone(tx: Transaction, functionId: string): Promise<Written[]> {
    const record = await this.concurrency.of(functionId, tx);
    if (!record || concurrencyStateOf(record) === undefined) return [];
    const key = concurrencyKey(record);
    await this.outbox.add(tx, topics.concurrency, key, null);
    return [{ topic: topics.concurrency.name, key, revision: null }];
  }

  async isProvisioned(tx: Transaction, functionId: string, version: string): Promise<boolean> {
    const record = await this.concurrency.of(functionId, tx);
    return record?.provisioned.some((provisioned) => provisioned.version === version) ?? false;
  }

  /** Refuses memory that the function's reserved concurrency has no room for. */
  async requireMemory(
    tx: Transaction,
    { functionId, functionName }: FunctionRecord,
    memoryMb: number,
  ): Promise<void> {
    const reservedMb = (await this.concurrency.of(functionId, tx))?.reservedMb;
    if (reservedMb === undefined || reservedMb === 0 || reservedMb >= memoryMb) return;
    const message = `MemorySize ${memoryMb} is more than the ${reservedMb} MB that are reserved for function "${functionName}": it could never run. Reserve more first.`;
    throw new CallerError(errorCodes.updateConfigurationFailed, message);
  }
}
