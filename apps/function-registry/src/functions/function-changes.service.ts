import { Inject, Injectable } from '@nestjs/common';
import { CallerError, functionKey, topics, type Written } from '@openscf/contracts';
import { errorCodes } from '@openscf/scf-api';
import type { Transaction } from '../outbox/changes.service.js';
import { OutboxRepository } from '../outbox/outbox.repository.js';
import { PackagesService } from '../packages/packages.service.js';
import { REGISTRY_CONFIG, type RegistryConfig } from '../registry.config.js';
import { stateOf } from './function-record.policy.js';
import { packagesOf, type FunctionRecord } from './function.types.js';
import { FunctionsRepository } from './functions.repository.js';

/** What changes of functions are made of, as parts of a transaction that holds the function's lock. */
@Injectable()
export class FunctionChanges {
  constructor(
    private readonly functions: FunctionsRepository,
    private readonly packages: PackagesService,
    private readonly outbox: OutboxRepository,
    @Inject(REGISTRY_CONFIG) private readonly config: RegistryConfig,
  ) {}

  async announce(tx: Transaction, record: FunctionRecord): Promise<Written> {
    const key = functionKey(record);
    await this.outbox.add(tx, topics.functions, key, stateOf(record));
    return { topic: topics.functions.name, key, revision: record.revision };
  }

  /** Says that a version is gone, once its rows are. */
  async announceGone(tx: Transaction, record: FunctionRecord): Promise<Written> {
    await this.leave(tx, record);
    const key = functionKey(record);
    await this.outbox.add(tx, topics.functions, key, null);
    return { topic: topics.functions.name, key, revision: null };
  }

  /** Changes what is only read back: no revision, so that no instance is replaced. */
  async annotate(tx: Transaction, changed: FunctionRecord): Promise<FunctionRecord> {
    const record = { ...changed, modifiedAt: new Date() };
    await this.functions.update(tx, record);
    return record;
  }

  /** Replaces a version by its next revision. */
  async replace(
    tx: Transaction,
    before: FunctionRecord,
    changed: FunctionRecord,
  ): Promise<{ record: FunctionRecord; written: Written }> {
    const revision = await this.functions.nextRevision(tx);
    const record = { ...changed, revision, modifiedAt: new Date() };
    await this.functions.update(tx, record);
    await this.leave(tx, before);
    return { record, written: await this.announce(tx, record) };
  }

  /** Keeps what `latest` is now under the next number. */
  async publish(
    tx: Transaction,
    latest: FunctionRecord,
    description: string,
  ): Promise<{ record: FunctionRecord; written: Written }> {
    const { versionsPerFunction } = this.config;
    const count = await this.functions.countPublished(tx, latest.functionId);
    if (count >= versionsPerFunction) {
      const message = `Function "${latest.functionName}" has ${count} published versions, and ${versionsPerFunction} are accepted: delete some first.`;
      throw new CallerError(errorCodes.versionLimit, message);
    }
    const now = new Date();
    const record = {
      ...latest,
      version: await this.functions.nextVersion(tx, latest.functionId),
      revision: await this.functions.nextRevision(tx),
      description,
      createdAt: now,
      modifiedAt: now,
    };
    await this.functions.insertVersion(tx, record);
    return { record, written: await this.announce(tx, record) };
  }

  /** Its packages are kept a while from now on, for those who are still starting instances of what was. */
  private async leave(tx: Transaction, record: FunctionRecord): Promise<void> {
    for (const { sha256 } of packagesOf(record)) await this.packages.leave(tx, sha256);
  }
}
