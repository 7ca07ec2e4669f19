import { Inject, Injectable } from '@nestjs/common';
import { CallerError, type Written } from '@openscf/contracts';
import { ObjectStore } from '@openscf/object-store';
import { errorCodes, TRIGGERS_PER_TYPE, type ActionRequest, type TriggerInfo } from '@openscf/scf-api';
import { functionNameOf, requireFound, requireQualifier } from '../functions/function-identity.policy.js';
import type { FunctionRecord } from '../functions/function.types.js';
import { FunctionsRepository } from '../functions/functions.repository.js';
import { Changes, type Transaction } from '../outbox/changes.service.js';
import { REGISTRY_CONFIG, type RegistryConfig } from '../registry.config.js';
import { rulesOverlap } from './kinds/cos.policy.js';
import { TriggerChanges } from './trigger-changes.service.js';
import { chooseTrigger } from './trigger-choice.policy.js';
import { definitionOf, newTrigger, type TriggerDefinition } from './trigger-record.policy.js';
import { triggerInfoOf } from './trigger-view.policy.js';
import { TriggersRepository } from './triggers.repository.js';

/** Changes of triggers. Each locks the function first, so that a trigger never outlives its function. */
@Injectable()
export class TriggersService {
  constructor(
    private readonly triggers: TriggersRepository,
    private readonly functions: FunctionsRepository,
    private readonly announcements: TriggerChanges,
    private readonly changes: Changes,
    private readonly store: ObjectStore,
    @Inject(REGISTRY_CONFIG) private readonly config: RegistryConfig,
  ) {}

  async create(request: ActionRequest<'CreateTrigger'>): Promise<{ info: TriggerInfo; written: Written[] }> {
    const name = functionNameOf(request);
    requireFound(name, await this.functions.find(name));
    requireQualifier(name, request.Qualifier);
    const now = new Date();
    const definition = definitionOf(request, { platformBucket: this.config.platformBucket, now });
    if (definition.type === 'cos') await this.requireBucket(definition.bucket);
    return this.changes.commit(async (tx) => {
      const owner = requireFound(name, await this.functions.lock(tx, name));
      await this.requireRoom(tx, owner, request, definition);
      const record = newTrigger(request, definition, owner, await this.functions.nextRevision(tx), now);
      await this.triggers.insert(tx, record);
      const written = [await this.announcements.announce(tx, record.state)];
      return { info: triggerInfoOf(record, this.config), written };
    });
  }

  async updateStatus(request: ActionRequest<'UpdateTriggerStatus'>): Promise<Written[]> {
    return this.changes.commit(async (tx) => {
      const { state } = await this.chosen(tx, request);
      const enabled = request.Enable === 'OPEN';
      if (state.enabled === enabled) {
        throw new CallerError(
          errorCodes.triggerStatusSame,
          `Enable "${request.Enable}" changes nothing: trigger "${request.TriggerName}" is in this state already.`,
        );
      }
      const now = new Date();
      const enabledAt = enabled ? now.getTime() : state.enabledAt;
      const changed = { ...state, enabled, enabledAt, revision: await this.functions.nextRevision(tx) };
      await this.triggers.updateState(tx, changed, now);
      return [await this.announcements.announce(tx, changed)];
    });
  }

  async delete(request: ActionRequest<'DeleteTrigger'>): Promise<Written[]> {
    return this.changes.commit(async (tx) => {
      const { state } = await this.chosen(tx, request);
      return [await this.announcements.remove(tx, state)];
    });
  }

  private async chosen(tx: Transaction, request: ActionRequest<'DeleteTrigger'>) {
    const name = functionNameOf(request);
    const owner = requireFound(name, await this.functions.lock(tx, name));
    requireQualifier(name, request.Qualifier);
    const records = await this.triggers.ofFunction(owner.functionId, tx);
    return chooseTrigger(records, request, this.config.platformBucket);
  }

  private async requireBucket(bucket: string): Promise<void> {
    if (await this.store.bucketExists(bucket)) return;
    throw new CallerError(
      errorCodes.noCosBucket,
      `TriggerName names the bucket "${bucket}", which does not exist.`,
    );
  }

  private async requireRoom(
    tx: Transaction,
    owner: FunctionRecord,
    request: ActionRequest<'CreateTrigger'>,
    definition: TriggerDefinition,
  ): Promise<void> {
    const sameType = (await this.triggers.ofFunction(owner.functionId, tx)).filter(
      ({ state }) => state.type === definition.type,
    );
    if (sameType.some(({ state }) => state.triggerName === definition.triggerName)) {
      throw new CallerError(
        errorCodes.triggerExists,
        `TriggerName "${request.TriggerName}" is taken: function "${owner.functionName}" has this ${definition.type} trigger already.`,
      );
    }
    if (sameType.length >= TRIGGERS_PER_TYPE) {
      throw new CallerError(
        errorCodes.triggerLimit,
        `Function "${owner.functionName}" has ${sameType.length} ${definition.type} triggers, and ${TRIGGERS_PER_TYPE} are accepted.`,
      );
    }
    if (definition.type !== 'cos') return;
    for (const { state } of await this.triggers.lockBucket(tx, definition.bucket)) {
      if (state.type !== 'cos' || !rulesOverlap(state, definition)) continue;
      throw new CallerError(
        errorCodes.cosRuleConflict,
        `TriggerDesc overlaps with a trigger of function "${state.functionName}" on bucket "${definition.bucket}": an object must not match the event and filter of both.`,
      );
    }
  }
}
