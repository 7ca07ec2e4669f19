import { formatDateTime, type LayerVersionInfo } from '@openscf/scf-api';
import type { LayerRecord } from './layer.types.js';

export function layerFieldsOf(record: LayerRecord): Omit<LayerVersionInfo, 'Stamp' | 'Tags'> {
  return {
    LayerName: record.layerName,
    LayerVersion: record.layerVersion,
    CompatibleRuntimes: record.compatibleRuntimes,
    AddTime: formatDateTime(record.createdAt.getTime()),
    Description: record.description,
    LicenseInfo: record.licenseInfo,
    Status: record.package ? 'Active' : 'Deleted',
  };
}

/** One entry of a list, or of a function's Layers. */
export function layerInfoOf(record: LayerRecord): LayerVersionInfo {
  return { ...layerFieldsOf(record), Stamp: 'default', Tags: [] };
}
