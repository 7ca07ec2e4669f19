import { Inject, Injectable } from '@nestjs/common';
import type { ActionRequest, ActionResponse } from '@openscf/scf-api';
import { functionNameOf, requireFound } from '../functions/function-identity.policy.js';
import { FunctionsRepository } from '../functions/functions.repository.js';
import { REGISTRY_CONFIG, type RegistryConfig } from '../registry.config.js';
import { selectTriggers } from './trigger-list.policy.js';
import { triggerInfoOf } from './trigger-view.policy.js';
import { TriggersRepository } from './triggers.repository.js';

/** Answers questions about triggers, from the database. */
@Injectable()
export class TriggerQueries {
  constructor(
    private readonly triggers: TriggersRepository,
    private readonly functions: FunctionsRepository,
    @Inject(REGISTRY_CONFIG) private readonly config: RegistryConfig,
  ) {}

  async list(request: ActionRequest<'ListTriggers'>): Promise<ActionResponse<'ListTriggers'>> {
    const name = functionNameOf(request);
    const owner = requireFound(name, await this.functions.find(name));
    const { page, total } = selectTriggers(await this.triggers.ofFunction(owner.functionId), request);
    const infos = page.map((record) => ({
      ...triggerInfoOf(record, owner, this.config),
      BoundResources: '',
    }));
    return { TotalCount: total, Triggers: infos };
  }
}
