import { Injectable } from '@nestjs/common';
import { CallerError, type Written } from '@openscf/contracts';
import { errorCodes, formatDateTime, type ActionRequest, type ActionResponse } from '@openscf/scf-api';
import { ConcurrencyChanges } from '../concurrency/concurrency-changes.service.js';
import { FunctionChanges } from '../functions/function-changes.service.js';
import { functionNameOf, noVersionError, requireFound } from '../functions/function-identity.policy.js';
import type { FunctionName, FunctionRecord } from '../functions/function.types.js';
import { FunctionsRepository } from '../functions/functions.repository.js';
import { Changes } from '../outbox/changes.service.js';
import { TriggerChanges } from '../triggers/trigger-changes.service.js';
import { TriggersRepository } from '../triggers/triggers.repository.js';

type VersionItem = ActionResponse<'ListVersionByFunction'>['Versions'][number];

function versionItemOf(record: FunctionRecord): VersionItem {
  return {
    Version: record.version,
    Description: record.description,
    AddTime: formatDateTime(record.createdAt.getTime()),
    ModTime: formatDateTime(record.modifiedAt.getTime()),
    Status: record.status,
  };
}

/** Published versions: what $LATEST was at a moment, never changed, sharing its packages. */
@Injectable()
export class VersionsService {
  constructor(
    private readonly functions: FunctionsRepository,
    private readonly parts: FunctionChanges,
    private readonly triggers: TriggersRepository,
    private readonly triggerChanges: TriggerChanges,
    private readonly concurrency: ConcurrencyChanges,
    private readonly changes: Changes,
  ) {}

  async publish(
    request: ActionRequest<'PublishVersion'>,
  ): Promise<{ response: ActionResponse<'PublishVersion'>; written: Written[] }> {
    const name = functionNameOf(request);
    const { record, written } = await this.changes.commit(async (tx) => {
      const latest = requireFound(name, await this.functions.lock(tx, name));
      return this.parts.publish(tx, latest, request.Description);
    });
    const response = {
      FunctionVersion: record.version,
      CodeSize: record.code.sizeBytes,
      MemorySize: record.memoryMb,
      Description: record.description,
      Handler: record.handler,
      Timeout: record.timeoutMs / 1000,
      Runtime: record.runtime,
      Namespace: record.namespace,
    };
    return { response, written: [written] };
  }

  /** $LATEST is one of them. */
  async list(
    request: ActionRequest<'ListVersionByFunction'>,
  ): Promise<ActionResponse<'ListVersionByFunction'>> {
    const name = functionNameOf(request);
    const { functionId } = requireFound(name, await this.functions.find(name));
    const versions = await this.functions.versions(functionId);
    const timeOf = ({ createdAt, modifiedAt }: FunctionRecord) =>
      (request.OrderBy === 'AddTime' ? createdAt : modifiedAt).getTime();
    const direction = request.Order === 'ASC' ? 1 : -1;
    // Revisions tell apart what happened within a millisecond.
    versions.sort((a, b) => direction * (timeOf(a) - timeOf(b) || a.revision - b.revision));
    const page = versions.slice(request.Offset, request.Offset + request.Limit);
    return {
      FunctionVersion: page.map(({ version }) => version),
      Versions: page.map(versionItemOf),
      TotalCount: versions.length,
    };
  }

  /** With `force`, triggers and provisioned concurrency of the version go with it; without, they stand in the way. */
  delete(name: FunctionName, version: string, force: boolean): Promise<Written[]> {
    return this.changes.commit(async (tx) => {
      const { functionId } = requireFound(name, await this.functions.lock(tx, name));
      const record = await this.functions.find(name, version, tx);
      if (!record) throw noVersionError(name, version);
      const bound = (await this.triggers.ofFunction(functionId, tx)).filter(
        ({ state }) => state.qualifier === version,
      );
      const provisioned = await this.concurrency.isProvisioned(tx, functionId, version);
      if (!force && (bound.length > 0 || provisioned)) {
        const has = [
          ...bound.map(({ state, triggerName }) => `the ${state.type} trigger "${triggerName}"`),
          ...(provisioned ? ['provisioned concurrency'] : []),
        ];
        const message = `Version "${version}" of function "${name.functionName}" has ${has.join(', ')}: remove that first, or use DeleteFunctionVersion with ForceDelete "true".`;
        throw new CallerError(errorCodes.deleteFailed, message);
      }
      const written: Written[] = [];
      for (const { state } of bound) written.push(await this.triggerChanges.remove(tx, state));
      await this.functions.deleteVersion(tx, functionId, version);
      if (provisioned) written.push(await this.concurrency.announce(tx, functionId));
      written.push(await this.parts.announceGone(tx, record));
      return written;
    });
  }
}
