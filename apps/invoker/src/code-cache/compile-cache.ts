import { createHash, randomBytes } from 'node:crypto';
import { mkdir, readdir, rename, rm, stat, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import type { FunctionState } from '@openscf/contracts';

export interface CompileCacheOptions {
  /** Absolute folder; holds one folder per cache, named by its key. */
  readonly root: string;
  readonly log: (fields: object, message: string) => void;
}

export interface CompileCacheLease {
  readonly directory: string;
  readonly release: () => void;
}

interface Sealed {
  readonly directory: string;
  users: number;
  usedAt: number;
}

const LIMITS = { bytes: 32 * 1024 * 1024, files: 5_000 };
const MOST_CACHES = 500;
/** A relative path of plain names. */
const NAME = /^[\w%@+=-][\w.%@+=-]{0,250}(\/[\w%@+=-][\w.%@+=-]{0,250}){0,30}$/;
const TEMPORARY = '.part-';
/** Instances that may begin to send a cache that does not come to be kept; one that ends before it begins costs nothing. */
const TRIES = 3;
/** Variables that change what is compiled, or whether the language takes what was compiled without them. */
const VARIABLES = ['NODE_OPTIONS', 'PYTHONOPTIMIZE'];

/**
 * What the languages have compiled of functions' code. The first instance of a version sends it; later ones see it read-only.
 *
 * 1. A cache is keyed by function, code, layers, runtime and its options: what one function's code has sent is never seen by another's.
 * 2. A folder named by a key is complete and never changes.
 * 3. What is sent is not trusted: names are checked, sizes bounded, and it is data for the language that checks it again.
 */
export class CompileCache {
  private readonly sealed = new Map<string, Sealed>();
  private readonly tries = new Map<string, number>();
  private readonly collecting = new Set<string>();

  constructor(private readonly options: CompileCacheOptions) {}

  /** Finds what an earlier life has left. To be called once, first. */
  async open(): Promise<void> {
    const { root } = this.options;
    await mkdir(root, { recursive: true, mode: 0o755 });
    for (const name of await readdir(root)) {
      const directory = join(root, name);
      if (name.startsWith(TEMPORARY)) await rm(directory, { recursive: true, force: true });
      else this.sealed.set(name, { directory, users: 0, usedAt: (await stat(directory)).mtimeMs });
    }
  }

  /** The cache of a key, where there is one. */
  acquire(key: string): CompileCacheLease | undefined {
    const sealed = this.sealed.get(key);
    if (sealed === undefined) return undefined;
    sealed.users++;
    sealed.usedAt = Date.now();
    let released = false;
    return {
      directory: sealed.directory,
      release: () => {
        if (!released) sealed.users--;
        released = true;
      },
    };
  }

  /** Takes what an instance sends; undefined when another one does, or enough have tried. */
  collect(key: string): CompiledFiles | undefined {
    const isGivenUp = (this.tries.get(key) ?? 0) >= TRIES;
    if (this.sealed.has(key) || this.collecting.has(key) || isGivenUp) return undefined;
    this.collecting.add(key);
    return new CompiledFiles((end) => {
      this.collecting.delete(key);
      if (end.kind === 'complete') void this.seal(key, end.files);
      else if (end.kind === 'broken-off') this.tries.set(key, (this.tries.get(key) ?? 0) + 1);
    });
  }

  private async seal(key: string, files: ReadonlyMap<string, Buffer>): Promise<void> {
    const temporary = join(this.options.root, `${TEMPORARY}${randomBytes(8).toString('hex')}`);
    const directory = join(this.options.root, key);
    try {
      await mkdir(temporary, { mode: 0o755 });
      for (const [name, content] of files) {
        const file = join(temporary, name);
        await mkdir(dirname(file), { recursive: true, mode: 0o755 });
        await writeFile(file, content, { mode: 0o644 });
      }
      await rename(temporary, directory);
      this.sealed.set(key, { directory, users: 0, usedAt: Date.now() });
      this.tries.delete(key);
      await this.evict();
    } catch (error) {
      await rm(temporary, { recursive: true, force: true });
      this.tries.set(key, (this.tries.get(key) ?? 0) + 1);
      this.options.log({ error: String(error) }, 'compile cache cannot be kept');
    }
  }

  private async evict(): Promise<void> {
    const unused = [...this.sealed].filter(([, { users }]) => users === 0);
    const oldest = unused.sort(([, a], [, b]) => a.usedAt - b.usedAt);
    for (const [key, { directory }] of oldest.slice(0, Math.max(0, this.sealed.size - MOST_CACHES))) {
      this.sealed.delete(key);
      await rm(directory, { recursive: true, force: true });
    }
  }
}

/** How a cache that was to be sent has ended. */
type CompiledEnd =
  | { readonly kind: 'complete'; readonly files: ReadonlyMap<string, Buffer> }
  | { readonly kind: 'broken-off' }
  | { readonly kind: 'never-begun' };

/** The files of a cache as they come in. */
export class CompiledFiles {
  private readonly files = new Map<string, Buffer>();
  private bytes = 0;
  private hasBegun = false;
  private isOver = false;

  /** `done` is called once. */
  constructor(private readonly done: (end: CompiledEnd) => void) {}

  /** A frame's head and body; a head without a name says that nothing follows. */
  add(head: Buffer, content: Buffer): void {
    if (this.isOver) return;
    this.hasBegun = true;
    const name = readName(head);
    if (name === undefined) {
      this.end(this.files.size > 0);
      return;
    }
    this.bytes += content.length;
    const isFine = NAME.test(name) && this.files.size < LIMITS.files && this.bytes <= LIMITS.bytes;
    // The frame's buffer is the socket's.
    if (isFine) this.files.set(name, Buffer.from(content));
    else this.end(false);
  }

  /** Nothing more comes. */
  abandon(): void {
    this.end(false);
  }

  private end(complete: boolean): void {
    if (this.isOver) return;
    this.isOver = true;
    if (complete) this.done({ kind: 'complete', files: this.files });
    else this.done({ kind: this.hasBegun ? 'broken-off' : 'never-begun' });
  }
}

function readName(head: Buffer): string | undefined {
  try {
    const { name } = JSON.parse(head.toString()) as { name?: unknown };
    return name === undefined ? undefined : String(name);
  } catch {
    // No name that is accepted.
    return '/';
  }
}

/** See invariant 1. `runtime` with its version. */
export function compileKeyOf(
  state: Pick<FunctionState, 'functionId' | 'code' | 'layers' | 'environment'>,
  runtime: string,
): string {
  const { functionId, code, layers, environment } = state;
  const parts = [functionId, code.kind === 'package' ? code.sha256 : code.digest, runtime];
  const options = VARIABLES.map((name) => environment[name] ?? '');
  const all = [parts, layers.map(({ sha256 }) => sha256), options];
  return createHash('sha256').update(JSON.stringify(all)).digest('hex');
}
