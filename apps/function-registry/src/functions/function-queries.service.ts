import { Inject, Injectable } from '@nestjs/common';
import { CallerError, LATEST } from '@openscf/contracts';
import { ObjectStore } from '@openscf/object-store';
import { errorCodes, type ActionRequest, type ActionResponse } from '@openscf/scf-api';
import { ConcurrencyRepository } from '../concurrency/concurrency.repository.js';
import { layerInfoOf } from '../layers/layer-view.policy.js';
import { LayersRepository } from '../layers/layers.repository.js';
import { PackagesService } from '../packages/packages.service.js';
import { PUBLIC_OBJECT_STORE, REGISTRY_CONFIG, type RegistryConfig } from '../registry.config.js';
import { triggerInfoOf } from '../triggers/trigger-view.policy.js';
import { TriggersRepository } from '../triggers/triggers.repository.js';
import {
  functionNameOf,
  noVersionError,
  requireFound,
  requireNamespace,
  versionOf,
} from './function-identity.policy.js';
import { detailOf, entryFilesOf, listItemOf } from './function-view.policy.js';
import type { FunctionListQuery, FunctionRecord } from './function.types.js';
import { FunctionsRepository } from './functions.repository.js';

/** scf-api section 4: CodeInfo is given for sources up to 1 MB. */
const CODE_INFO_BYTES = 1024 * 1024;
/** Ours: long enough to follow the link at leisure, short enough for a link that needs no key. */
const LINK_SECONDS = 3600;

const ORDERS = { AddTime: 'createdAt', ModTime: 'modifiedAt', FunctionName: 'functionName' } as const;
const FILTERS: Record<string, 'status' | 'runtime' | 'type'> = {
  Status: 'status',
  Runtime: 'runtime',
  Type: 'type',
  FunctionType: 'type',
};

function filterOf({
  Name,
  Values,
}: {
  Name: string;
  Values: string[];
}): FunctionListQuery['filters'][number] {
  const field = FILTERS[Name];
  if (field) return { field, values: Values };
  throw new CallerError(
    errorCodes.badFilters,
    `Filters has the name "${Name}", which is not accepted: it must be one of ${Object.keys(FILTERS).join(', ')}.`,
  );
}

/** Answers questions about functions, from the database: what was written by a call that has returned is seen. */
@Injectable()
export class FunctionQueries {
  constructor(
    private readonly functions: FunctionsRepository,
    private readonly triggers: TriggersRepository,
    private readonly packages: PackagesService,
    private readonly layers: LayersRepository,
    private readonly concurrency: ConcurrencyRepository,
    @Inject(PUBLIC_OBJECT_STORE) private readonly publicStore: ObjectStore,
    @Inject(REGISTRY_CONFIG) private readonly config: RegistryConfig,
  ) {}

  async get(request: ActionRequest<'GetFunction'>): Promise<ActionResponse<'GetFunction'>> {
    const record = await this.versionOf(request);
    const triggers = await this.triggers.ofFunction(record.functionId);
    const source =
      request.ShowCode === 'TRUE' && record.code.kind === 'package'
        ? await this.packages.readText(record.code, entryFilesOf(record), CODE_INFO_BYTES)
        : undefined;
    return detailOf(record, {
      qualifier: request.Qualifier,
      triggers: triggers
        .filter(({ state }) => isTriggerOf(state.qualifier, record.version))
        .map((trigger) => triggerInfoOf(trigger, record, this.config)),
      layers: (await this.layers.describe(record.layers)).map(layerInfoOf),
      codeInfo: source ?? '',
    });
  }

  async list(request: ActionRequest<'ListFunctions'>): Promise<ActionResponse<'ListFunctions'>> {
    requireNamespace(request.Namespace);
    const { records, total } = await this.functions.list({
      namespace: request.Namespace,
      nameContains: request.SearchKey,
      descriptionContains: request.Description,
      filters: request.Filters.map(filterOf),
      orderBy: ORDERS[request.Orderby],
      descending: request.Order === 'DESC',
      offset: request.Offset,
      limit: request.Limit,
    });
    const concurrency = new Map((await this.concurrency.all()).map((record) => [record.functionId, record]));
    const Functions = records.map((record) => listItemOf(record, concurrency.get(record.functionId)));
    return { Functions, TotalCount: total };
  }

  async address(request: ActionRequest<'GetFunctionAddress'>): Promise<ActionResponse<'GetFunctionAddress'>> {
    const { code, functionName } = await this.versionOf(request);
    if (code.kind === 'image') {
      const message = `Function "${functionName}" has an image and no package: its code is ${code.imageUri} (${code.digest}).`;
      throw new CallerError(errorCodes.addressFailed, message);
    }
    const Url = await this.publicStore.presignedGet(this.config.platformBucket, code.objectKey, LINK_SECONDS);
    return { Url, CodeSha256: code.sha256 };
  }

  private async versionOf(request: {
    Namespace: string;
    FunctionName: string;
    Qualifier: string;
  }): Promise<FunctionRecord> {
    const name = functionNameOf(request);
    const latest = requireFound(name, await this.functions.find(name));
    const version = versionOf(name, request.Qualifier);
    if (version === latest.version) return latest;
    const record = await this.functions.find(name, version);
    if (record) return record;
    throw noVersionError(name, version);
  }
}

/** What a version shows: a published one the triggers that call it, $LATEST all others. */
function isTriggerOf(qualifier: string, version: string): boolean {
  return version === LATEST ? !/^\d/.test(qualifier) : qualifier === version;
}
