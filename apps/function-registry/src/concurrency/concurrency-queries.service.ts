import { Inject, Injectable } from '@nestjs/common';
import { functionKey } from '@openscf/contracts';
import type { ActionRequest, ActionResponse } from '@openscf/scf-api';
import { Invokers } from '../fleet/invokers.service.js';
import { runtimeFault } from '../fleet/runtime-choice.policy.js';
import { functionNameOf, noVersionError, requireFound } from '../functions/function-identity.policy.js';
import { FunctionsRepository } from '../functions/functions.repository.js';
import { REGISTRY_CONFIG, type RegistryConfig } from '../registry.config.js';
import { ConcurrencyRepository } from './concurrency.repository.js';
import type { ConcurrencyRecord, ProvisionedRecord } from './concurrency.types.js';
import { instancesNow, provisionedStatus } from './provisioned.policy.js';
import { provisionableMb } from './quota.policy.js';

type Allocated = ActionResponse<'GetProvisionedConcurrencyConfig'>['Allocated'][number];

/** Answers questions about concurrency: what was asked for from the database, what is there from the invokers' heartbeats. */
@Injectable()
export class ConcurrencyQueries {
  constructor(
    private readonly concurrency: ConcurrencyRepository,
    private readonly functions: FunctionsRepository,
    private readonly invokers: Invokers,
    @Inject(REGISTRY_CONFIG) private readonly config: RegistryConfig,
  ) {}

  async reserved(
    request: ActionRequest<'GetReservedConcurrencyConfig'>,
  ): Promise<ActionResponse<'GetReservedConcurrencyConfig'>> {
    const { own } = await this.recordOf(request);
    return { ReservedMem: own.reservedMb ?? null };
  }

  async provisioned(
    request: ActionRequest<'GetProvisionedConcurrencyConfig'>,
  ): Promise<ActionResponse<'GetProvisionedConcurrencyConfig'>> {
    const { own, memoryMb } = await this.recordOf(request);
    const { Qualifier: version } = request;
    if (version !== '') {
      const name = functionNameOf(request);
      if (!(await this.functions.find(name, version))) throw noVersionError(name, version);
    }
    const free = provisionableMb(own, await this.concurrency.all(), this.config.quotaMb);
    const now = new Date();
    return {
      UnallocatedConcurrencyNum: Math.floor(free / memoryMb),
      Allocated: own.provisioned
        .filter((one) => version === '' || one.version === version)
        .map((one) => this.allocatedOf(own, one, now)),
    };
  }

  private async recordOf(request: { Namespace: string; FunctionName: string }) {
    const name = functionNameOf(request);
    const { functionId, memoryMb } = requireFound(name, await this.functions.find(name));
    // It may go between the two looks.
    return { own: requireFound(name, await this.concurrency.of(functionId)), memoryMb };
  }

  private allocatedOf(own: ConcurrencyRecord, one: ProvisionedRecord, now: Date): Allocated {
    const live = this.invokers.live();
    const key = functionKey({ ...own, version: one.version });
    const available = live.reduce((sum, { provisioned }) => sum + (provisioned[key] ?? 0), 0);
    const wanted = instancesNow(one, available, now);
    const fault = runtimeFault(one.runtime, live);
    return {
      Qualifier: one.version,
      AllocatedProvisionedConcurrencyNum: wanted,
      AvailableProvisionedConcurrencyNum: available,
      ...provisionedStatus(wanted, available, fault, now.getTime() - one.setAt),
      TriggerActions: one.schedule.map(({ name, cron, instances }) => ({
        TriggerName: name,
        TriggerCronConfig: cron,
        TriggerProvisionedConcurrencyNum: instances,
        ProvisionedType: 'Default',
      })),
      ProvisionedType: one.tracking ? 'ConcurrencyUtilizationTracking' : 'Default',
      TrackingTarget: one.tracking?.target ?? null,
      MinCapacity: one.tracking?.minInstances ?? null,
      MaxCapacity: one.tracking?.maxInstances ?? null,
    };
  }
}
