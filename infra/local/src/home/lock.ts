// A lock file that names its holder. It survives kill -9 of the holder: whoever comes next sees that the holder is dead
// and takes the lock over.
import { linkSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { identify, isAlive, type ProcessIdentity } from './process-identity.ts';

export interface Lock {
  release(): void;
}

export type LockAttempt =
  { kind: 'taken'; lock: Lock; holderDied: boolean } | { kind: 'held'; holder: ProcessIdentity };

export function tryLock(file: string): LockAttempt {
  mkdirSync(dirname(file), { recursive: true });
  const own = `${file}.${process.pid}`;
  writeFileSync(own, JSON.stringify(identify(process.pid)));
  try {
    for (let holderDied = false; ; holderDied = true) {
      if (linked(own, file))
        return { kind: 'taken', lock: { release: () => rmSync(file, { force: true }) }, holderDied };
      const holder = lockHolder(file);
      if (holder !== undefined) return { kind: 'held', holder };
      removeStale(file, `${own}.stale`);
    }
  } finally {
    rmSync(own, { force: true });
  }
}

/** Waits until the lock is free, runs the work, frees it. `onWait` is called once when somebody else holds it. */
export async function withLock<T>(
  file: string,
  onWait: (holder: ProcessIdentity) => void,
  work: () => Promise<T>,
): Promise<T> {
  let attempt = tryLock(file);
  if (attempt.kind === 'held') onWait(attempt.holder);
  while (attempt.kind === 'held') {
    await delay(300);
    attempt = tryLock(file);
  }
  try {
    return await work();
  } finally {
    attempt.lock.release();
  }
}

/** The living holder, or undefined when nobody holds the lock. */
export function lockHolder(file: string): ProcessIdentity | undefined {
  try {
    const holder = JSON.parse(readFileSync(file, 'utf8')) as ProcessIdentity;
    return isAlive(holder) ? holder : undefined;
  } catch {
    return undefined;
  }
}

function linked(own: string, file: string): boolean {
  try {
    linkSync(own, file);
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') return false;
    throw error;
  }
}

/** Two may find the same dead holder: what was moved away is looked at once more, and put back if it is alive after all. */
function removeStale(file: string, aside: string): void {
  try {
    renameSync(file, aside);
  } catch {
    return;
  }
  if (lockHolder(aside) !== undefined) linked(aside, file);
  rmSync(aside, { force: true });
}
