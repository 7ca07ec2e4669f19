import { Inject, Injectable } from '@nestjs/common';
import { CallerError, type Written } from '@openscf/contracts';
import { ObjectStore } from '@openscf/object-store';
import { errorCodes, type ActionRequest, type TriggerInfo } from '@openscf/scf-api';
import {
  functionNameOf,
  noVersionError,
  requireFound,
  versionOf,
} from '../functions/function-identity.policy.js';
import type { FunctionRecord } from '../functions/function.types.js';
import { FunctionsRepository } from '../functions/functions.repository.js';
import { Changes, type Transaction } from '../outbox/changes.service.js';
import { REGISTRY_CONFIG, type RegistryConfig } from '../registry.config.js';
import { rulesOverlap } from './kinds/cos.policy.js';
import { newUrlId } from './kinds/http.policy.js';
import { TriggerChanges } from './trigger-changes.service.js';
import { chooseTrigger } from './trigger-choice.policy.js';
import {
  definitionOf,
  newTrigger,
  switched,
  withUpdate,
  type TriggerDefinition,
} from './trigger-record.policy.js';
import { triggerDescOf, triggerInfoOf } from './trigger-view.policy.js';
import type { TriggerRecord } from './trigger.types.js';
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
    const version = versionOf(name, request.Qualifier);
    const now = new Date();
    const { platformBucket } = this.config;
    const definition = definitionOf(request, { platformBucket, now, urlId: newUrlId() });
    if (definition.type === 'cos') await this.requireBucket(definition.bucket);
    return this.changes.commit(async (tx) => {
      const owner = requireFound(name, await this.functions.lock(tx, name));
      await this.requireVersion(tx, owner, version);
      await this.requireRoom(tx, owner, request, definition);
      const record = newTrigger(request, definition, owner, await this.functions.nextRevision(tx), now);
      await this.triggers.insert(tx, record);
      const written = [await this.announcements.announce(tx, record.state)];
      return { info: triggerInfoOf(record, owner, this.config), written };
    });
  }

  /** Timers, Kafka and function URLs; a URL keeps its address. */
  async update(request: ActionRequest<'UpdateTrigger'>): Promise<Written[]> {
    return this.changes.commit(async (tx) => {
      const { owner, record } = await this.chosen(tx, { ...request, TriggerDesc: '' });
      const surroundings = { platformBucket: this.config.platformBucket, now: new Date() };
      const ownDesc = triggerDescOf(record, owner, this.config);
      return this.save(tx, withUpdate(record, request, ownDesc, surroundings));
    });
  }

  async updateStatus(request: ActionRequest<'UpdateTriggerStatus'>): Promise<Written[]> {
    return this.changes.commit(async (tx) => {
      const { record } = await this.chosen(tx, request);
      const enabled = request.Enable === 'OPEN';
      if (record.state.enabled === enabled) {
        throw new CallerError(
          errorCodes.triggerStatusSame,
          `Enable "${request.Enable}" changes nothing: trigger "${request.TriggerName}" is in this state already.`,
        );
      }
      const now = new Date();
      return this.save(tx, { ...switched(record, enabled, now), modifiedAt: now });
    });
  }

  async delete(request: ActionRequest<'DeleteTrigger'>): Promise<Written[]> {
    return this.changes.commit(async (tx) => {
      const { record } = await this.chosen(tx, request);
      return [await this.announcements.remove(tx, record.state)];
    });
  }

  private async save(tx: Transaction, record: TriggerRecord): Promise<Written[]> {
    const state = { ...record.state, revision: await this.functions.nextRevision(tx) };
    await this.triggers.update(tx, { ...record, state });
    return [await this.announcements.announce(tx, state)];
  }

  private async chosen(tx: Transaction, request: ActionRequest<'DeleteTrigger'>) {
    const name = functionNameOf(request);
    const owner = requireFound(name, await this.functions.lock(tx, name));
    await this.requireVersion(tx, owner, versionOf(name, request.Qualifier));
    const records = await this.triggers.ofFunction(owner.functionId, tx);
    return { owner, record: chooseTrigger(records, request, this.config.platformBucket) };
  }

  private async requireVersion(tx: Transaction, owner: FunctionRecord, version: string): Promise<void> {
    if (version === owner.version) return;
    if (!(await this.functions.hasVersion(tx, owner.functionId, version)))
      throw noVersionError(owner, version);
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
    const { triggersPerType } = this.config;
    if (sameType.length >= triggersPerType) {
      throw new CallerError(
        errorCodes.triggerLimit,
        `Function "${owner.functionName}" has ${sameType.length} ${definition.type} triggers, and ${triggersPerType} are accepted.`,
      );
    }
    requireKindFits(owner, sameType, request);
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

/** A web function is only reached by requests, and a version or alias has one URL. */
function requireKindFits(
  owner: FunctionRecord,
  sameType: readonly TriggerRecord[],
  { Type, Qualifier }: ActionRequest<'CreateTrigger'>,
): void {
  if (Type !== 'http') {
    if (owner.type !== 'HTTP') return;
    const message = `Type "${Type}" is not accepted for the web function "${owner.functionName}": it must be http.`;
    throw new CallerError(errorCodes.unsupportedTrigger, message);
  }
  const other = sameType.find(({ state }) => state.qualifier === Qualifier);
  if (!other) return;
  const message = `Qualifier "${Qualifier}" of function "${owner.functionName}" has the http trigger "${other.triggerName}" already: a version or alias has one.`;
  throw new CallerError(errorCodes.triggerExists, message);
}
