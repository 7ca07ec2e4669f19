import { Inject, Injectable } from '@nestjs/common';
import type { Written } from '@openscf/contracts';
import type { ActionRequest } from '@openscf/scf-api';
import { functionNameOf, noVersionError, requireFound } from '../functions/function-identity.policy.js';
import type { FunctionName, FunctionRecord } from '../functions/function.types.js';
import { FunctionsRepository } from '../functions/functions.repository.js';
import { Changes, type Transaction } from '../outbox/changes.service.js';
import { REGISTRY_CONFIG, type RegistryConfig } from '../registry.config.js';
import { ConcurrencyChanges } from './concurrency-changes.service.js';
import { ConcurrencyRepository } from './concurrency.repository.js';
import type { ConcurrencyRecord } from './concurrency.types.js';
import { mostInstances, newProvisioned } from './provisioned.policy.js';
import { requireProvisionable, requireReservable } from './quota.policy.js';

/** What a change of concurrency looks at, all of it locked. */
interface Situation {
  latest: FunctionRecord;
  own: ConcurrencyRecord;
  all: ConcurrencyRecord[];
}

/** Changes of reserved and provisioned concurrency. The sum over all functions never exceeds the account's. */
@Injectable()
export class ConcurrencyService {
  constructor(
    private readonly concurrency: ConcurrencyRepository,
    private readonly functions: FunctionsRepository,
    private readonly announcements: ConcurrencyChanges,
    private readonly changes: Changes,
    @Inject(REGISTRY_CONFIG) private readonly config: RegistryConfig,
  ) {}

  putReserved(request: ActionRequest<'PutReservedConcurrencyConfig'>): Promise<Written[]> {
    return this.change(functionNameOf(request), async (tx, { latest, own, all }) => {
      const { quotaMb } = this.config;
      const { ReservedConcurrencyMem: wantedMb } = request;
      requireReservable(wantedMb, own, all, { memoryMb: latest.memoryMb, quotaMb });
      await this.concurrency.setReserved(tx, latest.functionId, wantedMb);
    });
  }

  deleteReserved(request: ActionRequest<'DeleteReservedConcurrencyConfig'>): Promise<Written[]> {
    return this.change(functionNameOf(request), (tx, { latest }) =>
      this.concurrency.setReserved(tx, latest.functionId, null),
    );
  }

  putProvisioned(request: ActionRequest<'PutProvisionedConcurrencyConfig'>): Promise<Written[]> {
    const name = functionNameOf(request);
    const provisioned = newProvisioned(request, new Date());
    return this.change(name, async (tx, { latest, own, all }) => {
      const version = await this.functions.find(name, request.Qualifier, tx);
      if (!version) throw noVersionError(name, request.Qualifier);
      const rest = own.provisioned.filter((one) => one.version !== request.Qualifier);
      const wanted = { instances: mostInstances(provisioned), memoryMb: version.memoryMb };
      requireProvisionable(wanted, { ...own, provisioned: rest }, all, this.config.quotaMb);
      await this.concurrency.putProvisioned(tx, latest.functionId, provisioned);
    });
  }

  deleteProvisioned(request: ActionRequest<'DeleteProvisionedConcurrencyConfig'>): Promise<Written[]> {
    const name = functionNameOf(request);
    return this.change(name, async (tx, { latest }) => {
      if (!(await this.functions.hasVersion(tx, latest.functionId, request.Qualifier)))
        throw noVersionError(name, request.Qualifier);
      await this.concurrency.deleteProvisioned(tx, latest.functionId, request.Qualifier);
    });
  }

  private change(
    name: FunctionName,
    apply: (tx: Transaction, situation: Situation) => Promise<void>,
  ): Promise<Written[]> {
    return this.changes.commit(async (tx) => {
      const latest = requireFound(name, await this.functions.lock(tx, name));
      await this.concurrency.lockAccount(tx);
      const own = requireFound(name, await this.concurrency.of(latest.functionId, tx));
      await apply(tx, { latest, own, all: await this.concurrency.all(tx) });
      return [await this.announcements.announce(tx, latest.functionId)];
    });
  }
}
