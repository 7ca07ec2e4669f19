import { UnavailableError } from '@openscf/contracts';

interface Waiting<I, O> {
  readonly item: I;
  readonly resolve: (result: O) => void;
  readonly reject: (error: unknown) => void;
}

/** Rows of one statement at most. */
const MAX_ITEMS = 500;

/**
 * Writes several rows with one statement: what is added while a statement is under way goes with the next one. Nothing waits when
 * nothing is under way. When a statement fails for another reason than an absent PostgreSQL, its items are written one by one, so
 * that one that cannot be written does not keep back the others.
 */
export class RowBatch<I, O> {
  private waiting: Waiting<I, O>[] = [];
  private writing = false;

  /** @param write returns one result for each item, in their order. */
  constructor(private readonly write: (items: readonly I[]) => Promise<readonly O[]>) {}

  add(item: I): Promise<O> {
    return new Promise<O>((resolve, reject) => {
      this.waiting.push({ item, resolve, reject });
      // Begun in a microtask, so that what is added together is written together.
      if (!this.writing) {
        this.writing = true;
        queueMicrotask(() => void this.writeAll());
      }
    });
  }

  private async writeAll(): Promise<void> {
    while (this.waiting.length > 0) {
      const batch = this.waiting.splice(0, MAX_ITEMS);
      try {
        const results = await this.write(batch.map(({ item }) => item));
        batch.forEach(({ resolve }, index) => resolve(results[index] as O));
      } catch (error) {
        if (batch.length === 1 || error instanceof UnavailableError)
          batch.forEach(({ reject }) => reject(error));
        else await this.writeOneByOne(batch);
      }
    }
    this.writing = false;
  }

  private async writeOneByOne(batch: readonly Waiting<I, O>[]): Promise<void> {
    for (const { item, resolve, reject } of batch) {
      await this.write([item]).then(([result]) => resolve(result as O), reject);
    }
  }
}
