import type { TriggerState } from '@openscf/contracts';

/** One kind of event source. Its folder under `kinds/` holds all that is particular to it. */
export interface TriggerKind {
  readonly type: TriggerState['type'];
  /** The triggers of this kind, as they were when the service started; called once, before any `changed`. */
  begin(triggers: ReadonlyMap<string, TriggerState>): Promise<void>;
  /** A trigger is new, has changed, or is gone (undefined). Returns at once; trouble is retried inside. */
  changed(key: string, trigger: TriggerState | undefined): void;
  /** Takes nothing new, settles what is under way for at most `deadlineMs`. */
  stop(deadlineMs: number): Promise<void>;
}
