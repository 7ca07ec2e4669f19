import { Injectable } from '@nestjs/common';
import { CallerError, functionKey, LATEST, topics, type Upload, type Written } from '@openscf/contracts';
import { errorCodes, FUNCTIONS_PER_NAMESPACE, type ActionRequest } from '@openscf/scf-api';
import { Changes, type Transaction } from '../outbox/changes.service.js';
import { OutboxRepository } from '../outbox/outbox.repository.js';
import { PackagesService } from '../packages/packages.service.js';
import { TriggerChanges } from '../triggers/trigger-changes.service.js';
import { functionExistsError, functionNameOf, requireFound } from './function-identity.policy.js';
import { newFunction, stateOf, withCode, withConfiguration } from './function-record.policy.js';
import type { FunctionName, FunctionRecord } from './function.types.js';
import { FunctionsRepository } from './functions.repository.js';

function requireUpload(upload: Upload | undefined): Upload {
  if (upload) return upload;
  throw new CallerError(errorCodes.missingCode, 'Code.ZipFile is missing.');
}

/**
 * Changes of functions. A package is checked and stored before the transaction begins, so that a function that is there has its
 * code: it is Active from the moment at which it can be seen, also in the middle of an update. Updates of one function
 * wait for each other (row lock) and build on what the one before wrote.
 */
@Injectable()
export class FunctionsService {
  constructor(
    private readonly functions: FunctionsRepository,
    private readonly packages: PackagesService,
    private readonly changes: Changes,
    private readonly outbox: OutboxRepository,
    private readonly triggers: TriggerChanges,
  ) {}

  async create(request: ActionRequest<'CreateFunction'>, upload: Upload | undefined): Promise<Written[]> {
    const name = functionNameOf(request);
    if (await this.functions.find(name)) throw functionExistsError(name);
    const code = await this.packages.takeOver(requireUpload(upload));
    return this.changes.commit(async (tx) => {
      const count = await this.functions.lockNamespace(tx, name.namespace);
      if (await this.functions.lock(tx, name)) throw functionExistsError(name);
      if (count >= FUNCTIONS_PER_NAMESPACE) {
        throw new CallerError(
          errorCodes.functionLimit,
          `Namespace "${name.namespace}" has ${count} functions, and ${FUNCTIONS_PER_NAMESPACE} are accepted.`,
        );
      }
      const record = newFunction(request, code, await this.functions.nextRevision(tx), new Date());
      await this.functions.insert(tx, record);
      return [await this.announce(tx, record)];
    });
  }

  async updateCode(
    request: ActionRequest<'UpdateFunctionCode'>,
    upload: Upload | undefined,
  ): Promise<Written[]> {
    const name = functionNameOf(request);
    requireFound(name, await this.functions.find(name));
    const code = await this.packages.takeOver(requireUpload(upload));
    return this.update(name, (record) => withCode(record, code, request.Handler));
  }

  updateConfiguration(request: ActionRequest<'UpdateFunctionConfiguration'>): Promise<Written[]> {
    return this.update(functionNameOf(request), (record) => withConfiguration(record, request));
  }

  async delete(request: ActionRequest<'DeleteFunction'>): Promise<Written[]> {
    const name = functionNameOf(request);
    const { Qualifier: qualifier } = request;
    return this.changes.commit(async (tx) => {
      const record = requireFound(name, await this.functions.lock(tx, name));
      if (qualifier === LATEST) {
        throw new CallerError(
          errorCodes.badQualifier,
          `Qualifier "${LATEST}" is not accepted: it is removed together with its function, when Qualifier is left out.`,
        );
      }
      if (qualifier !== '') {
        const message = `Function "${name.functionName}" has no version "${qualifier}" that could be deleted.`;
        throw new CallerError(errorCodes.noVersion, message);
      }
      const written = await this.triggers.removeAllOf(tx, record.functionId);
      await this.functions.delete(tx, record.functionId);
      await this.packages.leave(tx, record.code.sha256);
      const key = functionKey(record);
      await this.outbox.add(tx, topics.functions, key, null);
      return [...written, { topic: topics.functions.name, key, revision: null }];
    });
  }

  private update(name: FunctionName, change: (record: FunctionRecord) => FunctionRecord): Promise<Written[]> {
    return this.changes.commit(async (tx) => {
      const before = requireFound(name, await this.functions.lock(tx, name));
      const revision = await this.functions.nextRevision(tx);
      const after = { ...change(before), revision, modifiedAt: new Date() };
      await this.functions.update(tx, after);
      if (after.code.sha256 !== before.code.sha256) await this.packages.leave(tx, before.code.sha256);
      return [await this.announce(tx, after)];
    });
  }

  private async announce(tx: Transaction, record: FunctionRecord): Promise<Written> {
    const key = functionKey(record);
    await this.outbox.add(tx, topics.functions, key, stateOf(record));
    return { topic: topics.functions.name, key, revision: record.revision };
  }
}
