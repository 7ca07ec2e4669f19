import { CallerError } from '@openscf/contracts';
import { errorCodes } from '@openscf/scf-api';
import type { LayerRecord } from './layer.types.js';

type StoredLayer = LayerRecord & { package: NonNullable<LayerRecord['package']> };

/** Refuses a version that is not there, or no more. */
export function requireLayer(
  layerName: string,
  layerVersion: number,
  record: LayerRecord | undefined,
): StoredLayer {
  const stored = record?.package;
  if (record && stored) return { ...record, package: stored };
  const why = record ? 'is deleted' : 'does not exist';
  throw new CallerError(
    errorCodes.noLayerVersion,
    `Version ${layerVersion} of layer "${layerName}" ${why}: ListLayerVersions tells those that there are.`,
  );
}
