import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { lockHolder, tryLock, withLock } from './lock.ts';
import { identify } from './process-identity.ts';

describe('lock', () => {
  let folder: string;
  let file: string;

  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'openscf-lock-'));
    file = join(folder, 'some.lock');
  });

  afterEach(() => rmSync(folder, { recursive: true }));

  it('is held by one at a time', () => {
    const first = tryLock(file);
    expect(first).toMatchObject({ kind: 'taken', holderDied: false });
    expect(tryLock(file)).toEqual({ kind: 'held', holder: identify(process.pid) });
    if (first.kind === 'taken') first.lock.release();
    expect(tryLock(file).kind).toBe('taken');
  });

  it('is taken over from a holder that was killed', async () => {
    const holder = spawn('sleep', ['60']);
    await once(holder, 'spawn');
    writeFileSync(file, JSON.stringify(identify(holder.pid as number)));
    expect(lockHolder(file)?.pid).toBe(holder.pid);
    holder.kill('SIGKILL');
    await once(holder, 'exit');
    expect(tryLock(file)).toMatchObject({ kind: 'taken', holderDied: true });
  });

  it('is taken over when the process id was given to another process since', () => {
    writeFileSync(file, JSON.stringify({ pid: process.pid, startedAt: 'before' }));
    expect(tryLock(file).kind).toBe('taken');
  });

  it('is taken over when the file was cut short', () => {
    writeFileSync(file, '');
    expect(tryLock(file).kind).toBe('taken');
  });

  it('lets waiting work run one after the other, also after a failure', async () => {
    const order: string[] = [];
    const work = (name: string) => async () => {
      order.push(`${name} begins`);
      await Promise.resolve();
      order.push(`${name} ends`);
      if (name === 'a') throw new Error('a failed');
    };
    const waited: number[] = [];
    const both = await Promise.allSettled(
      ['a', 'b'].map((name) => withLock(file, ({ pid }) => waited.push(pid), work(name))),
    );
    expect(both.map(({ status }) => status)).toEqual(['rejected', 'fulfilled']);
    expect(order).toEqual(['a begins', 'a ends', 'b begins', 'b ends']);
    expect(waited).toEqual([process.pid]);
  });
});
