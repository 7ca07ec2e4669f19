import { readFile } from 'node:fs/promises';

/** What the function of `LEDGER_SOURCE` writes: one line when a run begins and one when it ends. */
interface Entry {
  id: string;
  kind: 'start' | 'end';
  at: number;
  /** The region of its invoker. */
  where: string;
}

/** A function that writes down when it runs and where, in a directory that all instances share. */
export const LEDGER_SOURCE = `
const { appendFileSync } = require('fs');
const write = (entry) => appendFileSync('/mnt/ledger/runs', JSON.stringify({ ...entry, at: Date.now() }) + '\\n');
exports.main_handler = async ({ id, holdMs }, { tencentcloud_region: where }) => {
  write({ id, kind: 'start', where });
  await new Promise((done) => setTimeout(done, holdMs));
  write({ id, kind: 'end', where });
  return id;
};
`;

/** Of which runs. */
export interface RunFilter {
  /** Only those that began at this time or later. */
  since?: number;
  where?: string;
}

export class RunLedger {
  constructor(
    private readonly path: string,
    private readonly holdMs: number,
  ) {}

  /**
   * The most runs at any one time. A run without an end was cut off with its invoker, or has not ended: it counts for as long as it
   * would take, which is more than it took.
   */
  async mostAtOnce({ since = 0, where }: RunFilter = {}): Promise<number> {
    const entries = (await this.entries()).filter((entry) => where === undefined || entry.where === where);
    const starts = new Map<string, number>();
    const changes: { at: number; by: number }[] = [];
    for (const { id, kind, at } of entries) {
      const startedAt = starts.get(id);
      if (kind === 'start' && at >= since) starts.set(id, at);
      else if (startedAt !== undefined) {
        changes.push({ at: startedAt, by: 1 }, { at, by: -1 });
        starts.delete(id);
      }
    }
    for (const at of starts.values()) changes.push({ at, by: 1 }, { at: at + this.holdMs, by: -1 });
    // Ends before starts of the same millisecond.
    changes.sort((a, b) => a.at - b.at || a.by - b.by);
    let now = 0;
    return changes.reduce((most, { by }) => Math.max(most, (now += by)), 0);
  }

  private async entries(): Promise<Entry[]> {
    const text = await readFile(this.path, 'utf8').catch(() => '');
    return text
      .split('\n')
      .slice(0, -1)
      .map((line) => JSON.parse(line) as Entry);
  }
}
