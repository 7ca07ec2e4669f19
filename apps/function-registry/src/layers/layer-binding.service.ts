import { Injectable } from '@nestjs/common';
import { CallerError, type LayerState } from '@openscf/contracts';
import { errorCodes, UNZIPPED_BYTES, type ActionRequest } from '@openscf/scf-api';
import type { Code } from '../functions/function-record.policy.js';
import type { Transaction } from '../outbox/changes.service.js';
import { PackagesService } from '../packages/packages.service.js';
import { requireLayer } from './layer-identity.policy.js';
import { LayersRepository } from './layers.repository.js';

const MB = 1024 * 1024;

/** Looks up the layers that a function is to be bound to, as a part of its change. */
@Injectable()
export class LayerBinding {
  constructor(
    private readonly layers: LayersRepository,
    private readonly packages: PackagesService,
  ) {}

  /** In the order of the request; undefined when it says nothing. They cannot be deleted until the transaction ends. */
  async resolve(
    tx: Transaction,
    bindings: ActionRequest<'CreateFunction'>['Layers'],
  ): Promise<LayerState[] | undefined> {
    if (!bindings) return undefined;
    const layers: LayerState[] = [];
    for (const { LayerName: layerName, LayerVersion: layerVersion } of bindings) {
      const found = requireLayer(
        layerName,
        layerVersion,
        await this.layers.hold(tx, layerName, layerVersion),
      );
      layers.push({ layerName, layerVersion, ...found.package });
    }
    return layers;
  }

  /** Before the transaction: code of an earlier release may never have been measured. */
  async measure(code: Code): Promise<void> {
    if (code.kind === 'package') await this.packages.measure(code);
  }

  /** Refuses layers beside an image, which brings all of its own, and more than SCF takes of code and layers together. */
  async requireFit(tx: Transaction, code: Code, layers: readonly LayerState[]): Promise<void> {
    if (layers.length === 0) return;
    if (code.kind === 'image') {
      const message = 'Layers is not accepted for an image: leave it out, and put the files into the image.';
      throw new CallerError(errorCodes.badLayers, message);
    }
    const bytes = await this.packages.unpackedTotal(tx, [code, ...layers]);
    if (bytes <= UNZIPPED_BYTES) return;
    const has = `Code and Layers unpack to ${Math.ceil(bytes / MB)} MB`;
    throw new CallerError(
      errorCodes.badLayers,
      `${has}: together they must be at most ${UNZIPPED_BYTES / MB} MB.`,
    );
  }
}
