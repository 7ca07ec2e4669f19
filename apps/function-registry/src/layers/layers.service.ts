import { Inject, Injectable } from '@nestjs/common';
import { CallerError, type Upload } from '@openscf/contracts';
import { ObjectStore } from '@openscf/object-store';
import { errorCodes, type ActionRequest, type ActionResponse } from '@openscf/scf-api';
import { Invokers } from '../fleet/invokers.service.js';
import { requireRuntimeName } from '../fleet/runtime-choice.policy.js';
import { Changes } from '../outbox/changes.service.js';
import { PackagesService } from '../packages/packages.service.js';
import { PUBLIC_OBJECT_STORE, REGISTRY_CONFIG, type RegistryConfig } from '../registry.config.js';
import { requireLayer } from './layer-identity.policy.js';
import { layerFieldsOf, layerInfoOf } from './layer-view.policy.js';
import { LayersRepository } from './layers.repository.js';

/** Ours, as for the code of functions. */
const LINK_SECONDS = 3600;

function requireUpload(upload: Upload | undefined): Upload {
  if (upload) return upload;
  throw new CallerError(errorCodes.missingCode, 'Content.ZipFile is missing.');
}

/** Layers: zips that functions share. A version is never changed; nothing is announced, for functions carry their layers. */
@Injectable()
export class LayersService {
  constructor(
    private readonly layers: LayersRepository,
    private readonly packages: PackagesService,
    private readonly changes: Changes,
    private readonly invokers: Invokers,
    @Inject(PUBLIC_OBJECT_STORE) private readonly publicStore: ObjectStore,
    @Inject(REGISTRY_CONFIG) private readonly config: RegistryConfig,
  ) {}

  async publish(request: ActionRequest<'PublishLayerVersion'>, upload: Upload | undefined): Promise<number> {
    const { LayerName: layerName, CompatibleRuntimes: compatibleRuntimes } = request;
    const live = this.invokers.live();
    for (const runtime of compatibleRuntimes)
      requireRuntimeName('CompatibleRuntimes', runtime, live, errorCodes.badCompatibleRuntimes);
    const content = await this.packages.takeOver(requireUpload(upload));
    return this.changes.commit(async (tx) => {
      const count = await this.layers.lockAll(tx);
      const versions = await this.layers.versions(layerName, tx);
      this.requireRoom(layerName, count, versions.length);
      const layerVersion = await this.layers.nextVersion(tx, layerName);
      await this.layers.insert(tx, {
        layerName,
        layerVersion,
        package: content,
        compatibleRuntimes,
        description: request.Description,
        licenseInfo: request.LicenseInfo,
        createdAt: new Date(),
      });
      return layerVersion;
    });
  }

  async get(request: ActionRequest<'GetLayerVersion'>): Promise<ActionResponse<'GetLayerVersion'>> {
    const { LayerName: name, LayerVersion: version } = request;
    const record = requireLayer(name, version, await this.layers.find(name, version));
    const { sha256, objectKey } = record.package;
    const Location = await this.publicStore.presignedGet(this.config.platformBucket, objectKey, LINK_SECONDS);
    return { ...layerFieldsOf(record), CodeSha256: sha256, Location };
  }

  async list(request: ActionRequest<'ListLayers'>): Promise<ActionResponse<'ListLayers'>> {
    const { SearchKey: nameContains, CompatibleRuntime: runtime, Offset, Limit } = request;
    const newest = await this.layers.newest({ nameContains, runtime });
    return { Layers: newest.slice(Offset, Offset + Limit).map(layerInfoOf), TotalCount: newest.length };
  }

  async listVersions(
    request: ActionRequest<'ListLayerVersions'>,
  ): Promise<ActionResponse<'ListLayerVersions'>> {
    const { LayerName: name, CompatibleRuntime: runtimes } = request;
    const versions = await this.layers.versions(name);
    if (versions.length === 0) {
      throw new CallerError(
        errorCodes.noLayer,
        `Layer "${name}" does not exist: ListLayers tells those that there are.`,
      );
    }
    const fitting = versions.filter(
      ({ compatibleRuntimes }) =>
        runtimes.length === 0 || runtimes.some((runtime) => compatibleRuntimes.includes(runtime)),
    );
    return { LayerVersions: fitting.map(layerInfoOf) };
  }

  async delete({
    LayerName: name,
    LayerVersion: version,
  }: ActionRequest<'DeleteLayerVersion'>): Promise<void> {
    await this.changes.commit(async (tx) => {
      await this.layers.lockAll(tx);
      const record = requireLayer(name, version, await this.layers.find(name, version, tx));
      await this.layers.delete(tx, name, version);
      await this.packages.leave(tx, record.package.sha256);
    });
  }

  private requireRoom(layerName: string, layers: number, versions: number): void {
    const { layersPerAccount, versionsPerLayer } = this.config;
    if (versions === 0 && layers >= layersPerAccount) {
      const message = `LayerName "${layerName}" would be a new layer: there are ${layers}, and ${layersPerAccount} are accepted.`;
      throw new CallerError(errorCodes.layerLimit, message);
    }
    if (versions >= versionsPerLayer) {
      const message = `Layer "${layerName}" has ${versions} versions, and ${versionsPerLayer} are accepted.`;
      throw new CallerError(errorCodes.layerVersionLimit, message);
    }
  }
}
