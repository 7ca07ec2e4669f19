import type { TriggerState } from '@openscf/contracts';
import type { HttpDesc } from '@openscf/scf-api';

/** A trigger with everything that is kept of it. */
export interface TriggerRecord {
  state: TriggerState;
  /** As the caller wrote it; `state.triggerName` tells apart those that have the same. */
  triggerName: string;
  description: string;
  customArgument: string;
  /** Of an http trigger: what was asked for, also what has no effect. */
  httpDesc?: HttpDesc | undefined;
  createdAt: Date;
  modifiedAt: Date;
}
