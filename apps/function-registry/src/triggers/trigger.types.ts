import type { TriggerState } from '@openscf/contracts';

/** A trigger with everything that is kept of it. */
export interface TriggerRecord {
  state: TriggerState;
  /** As the caller wrote it; `state.triggerName` tells apart those that have the same. */
  triggerName: string;
  description: string;
  customArgument: string;
  createdAt: Date;
  modifiedAt: Date;
}
