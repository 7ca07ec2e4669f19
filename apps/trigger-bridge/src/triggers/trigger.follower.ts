import { triggerKey, type TriggerState } from '@openscf/contracts';
import type { TriggerKind } from './trigger-kind.types.js';

/** What is used of the compacted table of triggers. */
export interface TriggerTable {
  readonly ready: Promise<void>;
  values(): Iterable<TriggerState>;
  onChange(
    listener: (key: string, value: TriggerState | undefined, previous: TriggerState | undefined) => void,
  ): void;
}

/** Hands each trigger of the table to its kind: first those that are there, then every change. */
export class TriggerFollower {
  private readonly kinds: ReadonlyMap<string, TriggerKind>;

  constructor(
    private readonly table: TriggerTable,
    kinds: readonly TriggerKind[],
  ) {
    this.kinds = new Map(kinds.map((kind) => [kind.type, kind]));
  }

  /** Resolves when every kind has taken over the triggers that were there. */
  async start(): Promise<void> {
    await this.table.ready;
    const known = [...this.table.values()];
    const early: (() => void)[] = [];
    let begun = false;
    this.table.onChange((key, value, previous) => {
      const kind = this.kinds.get((value ?? previous)?.type ?? '');
      const tell = (): void => kind?.changed(key, value);
      if (begun) tell();
      else early.push(tell);
    });
    await Promise.all(
      [...this.kinds.values()].map((kind) => {
        const own = known.filter((trigger) => trigger.type === kind.type);
        return kind.begin(new Map(own.map((trigger) => [triggerKey(trigger), trigger])));
      }),
    );
    begun = true;
    for (const tell of early) tell();
  }

  async stop(deadlineMs: number): Promise<void> {
    await Promise.all([...this.kinds.values()].map((kind) => kind.stop(deadlineMs)));
  }
}
