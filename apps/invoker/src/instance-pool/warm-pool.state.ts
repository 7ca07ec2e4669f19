import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { dirname } from 'node:path';
import { z } from 'zod';
import type { WarmKey } from '../instance/warm-key.policy.js';

const keysSchema = z.array(
  z.object({
    runtime: z.string(),
    network: z.enum(['none', 'relays', 'egress']),
    memoryMb: z.number().int().positive(),
  }),
);
/** For a host that has run nothing yet. */
const DEFAULT_KEYS: readonly WarmKey[] = ['Nodejs20.19', 'Python3.11'].map((runtime) => ({
  runtime,
  network: 'egress',
  memoryMb: 128,
}));

/** Remembers over restarts what kinds of instances were wanted last. */
export class WarmPoolState {
  private saved = '';

  constructor(private readonly path: string) {}

  /** Never rejects: without a file that can be read it begins with what most hosts run. */
  async load(hasRuntime: (name: string) => boolean): Promise<WarmKey[]> {
    let keys = DEFAULT_KEYS;
    try {
      keys = keysSchema.parse(JSON.parse(await readFile(this.path, 'utf8')));
    } catch {
      // It is the first life, or the file was damaged: nothing depends on it.
    }
    return keys.filter(({ runtime }) => hasRuntime(runtime));
  }

  /** Never rejects. */
  async save(keys: readonly WarmKey[]): Promise<void> {
    const text = JSON.stringify(keys);
    if (text === this.saved || keys.length === 0) return;
    this.saved = text;
    await mkdir(dirname(this.path), { recursive: true })
      .then(() => writeFile(this.path, text))
      .catch(() => undefined);
  }
}
