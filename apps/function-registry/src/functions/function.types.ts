import type { FunctionState } from '@openscf/contracts';

/** What names a function, whatever its version. */
export interface FunctionName {
  namespace: string;
  functionName: string;
}

/** One version of a function with everything that is kept of it. */
export interface FunctionRecord extends FunctionState {
  description: string;
  role: string;
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
