import { isDeepStrictEqual } from 'node:util';
import { Inject, Injectable } from '@nestjs/common';
import { CallerError, type Upload, type Written } from '@openscf/contracts';
import { errorCodes, type ActionRequest } from '@openscf/scf-api';
import { ConcurrencyChanges } from '../concurrency/concurrency-changes.service.js';
import { Invokers } from '../fleet/invokers.service.js';
import { requireRuntime } from '../fleet/runtime-choice.policy.js';
import { LayerBinding } from '../layers/layer-binding.service.js';
import { Changes, type Transaction } from '../outbox/changes.service.js';
import { REGISTRY_CONFIG, type RegistryConfig } from '../registry.config.js';
import { TriggerChanges } from '../triggers/trigger-changes.service.js';
import { FunctionChanges } from './function-changes.service.js';
import { FunctionCode } from './function-code.service.js';
import { functionExistsError, functionNameOf, requireFound } from './function-identity.policy.js';
import { newFunction, stateOf, withCode, withConfiguration } from './function-record.policy.js';
import type { FunctionName, FunctionRecord } from './function.types.js';
import { FunctionsRepository } from './functions.repository.js';
import { requireFileSystems } from './shared-file-system.policy.js';

/** A version after an update, and what has been announced of it. */
interface Changed {
  record: FunctionRecord;
  written: Written[];
}

/**
 * Changes of functions. Code is checked and stored before the transaction begins, so that a function that is there has its
 * code: it is Active from the moment at which it can be seen, also in the middle of an update. Updates of one function
 * wait for each other (row lock) and build on what the one before wrote.
 */
@Injectable()
export class FunctionsService {
  constructor(
    private readonly functions: FunctionsRepository,
    private readonly code: FunctionCode,
    private readonly layers: LayerBinding,
    private readonly changes: Changes,
    private readonly parts: FunctionChanges,
    private readonly triggers: TriggerChanges,
    private readonly concurrency: ConcurrencyChanges,
    private readonly invokers: Invokers,
    @Inject(REGISTRY_CONFIG) private readonly config: RegistryConfig,
  ) {}

  async create(request: ActionRequest<'CreateFunction'>, upload: Upload | undefined): Promise<Written[]> {
    const name = functionNameOf(request);
    requireRuntime(request.Runtime, this.invokers.live());
    requireFileSystems(request.CfsConfig, this.config.sharedFileSystems);
    if (await this.functions.find(name)) throw functionExistsError(name);
    const code = await this.code.of(request.Code.ImageConfig, upload);
    return this.changes.commit(async (tx) => {
      await this.requireRoom(tx, name);
      const layers = await this.layers.resolve(tx, request.Layers);
      await this.layers.requireFit(tx, code, layers ?? []);
      const revision = await this.functions.nextRevision(tx);
      const record = newFunction(request, { code, layers: layers ?? [] }, revision, new Date());
      await this.functions.insert(tx, record);
      return [await this.parts.announce(tx, record)];
    });
  }

  async updateCode(
    request: ActionRequest<'UpdateFunctionCode'>,
    upload: Upload | undefined,
  ): Promise<Written[]> {
    const name = functionNameOf(request);
    requireFound(name, await this.functions.find(name));
    const code = await this.code.of((request.Code ?? request).ImageConfig, upload);
    return this.update(name, request.Publish, async (tx, before) => {
      await this.layers.requireFit(tx, code, before.layers);
      const { record, written } = await this.parts.replace(tx, before, withCode(before, code, request));
      return { record, written: [written] };
    });
  }

  async updateConfiguration(request: ActionRequest<'UpdateFunctionConfiguration'>): Promise<Written[]> {
    const name = functionNameOf(request);
    requireFileSystems(request.CfsConfig, this.config.sharedFileSystems);
    if (request.Layers) await this.layers.measure(requireFound(name, await this.functions.find(name)).code);
    return this.update(name, request.Publish, async (tx, before) => {
      const layers = await this.layers.resolve(tx, request.Layers);
      if (layers) await this.layers.requireFit(tx, before.code, layers);
      if (request.MemorySize !== undefined)
        await this.concurrency.requireMemory(tx, before, request.MemorySize);
      const changed = withConfiguration(before, request, layers);
      if (isDeepStrictEqual(stateOf(changed), stateOf(before)))
        return { record: await this.parts.annotate(tx, changed), written: [] };
      const { record, written } = await this.parts.replace(tx, before, changed);
      return { record, written: [written] };
    });
  }

  /** The whole function; one version of it is another action's matter. */
  async delete(name: FunctionName): Promise<Written[]> {
    return this.changes.commit(async (tx) => {
      const { functionId } = requireFound(name, await this.functions.lock(tx, name));
      const versions = await this.functions.versions(functionId, tx);
      const written = await this.triggers.removeAllOf(tx, functionId);
      written.push(...(await this.concurrency.announceGone(tx, functionId)));
      await this.functions.delete(tx, functionId);
      for (const version of versions) written.push(await this.parts.announceGone(tx, version));
      return written;
    });
  }

  private update(
    name: FunctionName,
    publish: 'TRUE' | 'FALSE',
    change: (tx: Transaction, before: FunctionRecord) => Promise<Changed>,
  ): Promise<Written[]> {
    return this.changes.commit(async (tx) => {
      const before = requireFound(name, await this.functions.lock(tx, name));
      const { record, written } = await change(tx, before);
      if (publish === 'TRUE')
        written.push((await this.parts.publish(tx, record, record.description)).written);
      return written;
    });
  }

  private async requireRoom(tx: Transaction, name: FunctionName): Promise<void> {
    const { functionsPerNamespace } = this.config;
    const count = await this.functions.lockNamespace(tx, name.namespace);
    if (await this.functions.lock(tx, name)) throw functionExistsError(name);
    if (count < functionsPerNamespace) return;
    throw new CallerError(
      errorCodes.functionLimit,
      `Namespace "${name.namespace}" has ${count} functions, and ${functionsPerNamespace} are accepted.`,
    );
  }
}
