import type { CodePackage } from '@openscf/contracts';

/** A version of a layer; without a package once it is deleted. */
export interface LayerRecord {
  layerName: string;
  layerVersion: number;
  package: CodePackage | undefined;
  compatibleRuntimes: string[];
  description: string;
  licenseInfo: string;
  createdAt: Date;
}
