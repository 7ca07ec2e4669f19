import type { CodePackage, FunctionState, SharedDirectory } from '@openscf/contracts';

/** What names a function, whatever its version. */
export interface FunctionName {
  namespace: string;
  functionName: string;
}

/** A shared directory with what is only read back: the ids as they were given; and a file system has one mount point. */
export interface CfsMount extends SharedDirectory {
  userId: string;
  userGroupId: string;
  mountInsId: string;
}

/** Parts of a version that most functions leave out; absent means the default. */
export interface FunctionSettings {
  sharedDirectories?: CfsMount[];
  instanceConcurrency?: number;
  webSocketIdleMs?: number;
  /** Of an image, only to be read back. */
  imageType?: string;
  registryId?: string;
}

/** One version of a function with everything that is kept of it. */
export interface FunctionRecord extends FunctionState {
  sharedDirectories: CfsMount[];
  description: string;
  role: string;
  imageType: string;
  registryId: string;
  createdAt: Date;
  modifiedAt: Date;
}

export interface FunctionListQuery {
  namespace: string;
  /** Part of the name; empty for all. */
  nameContains: string;
  /** Part of the description; empty for all. */
  descriptionContains: string;
  /** Accepted values by field; all must match. */
  filters: { field: 'status' | 'runtime' | 'type'; values: string[] }[];
  orderBy: 'createdAt' | 'modifiedAt' | 'functionName';
  descending: boolean;
  offset: number;
  limit: number;
}

/** The zips that a version needs: its code, unless that is an image, and its layers. */
export function packagesOf(record: FunctionState): CodePackage[] {
  return [...(record.code.kind === 'package' ? [record.code] : []), ...record.layers];
}
