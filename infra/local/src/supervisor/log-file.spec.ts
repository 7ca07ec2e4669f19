import {
  appendFileSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
  writeSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { keepSmall, openLog, tailOf } from './log-file.ts';

describe('log file', () => {
  let folder: string;
  let file: string;

  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'openscf-log-'));
    file = join(folder, 'kafka.log');
  });

  afterEach(() => rmSync(folder, { recursive: true }));

  it('is put aside when it has grown large, also while it is open', () => {
    const log = openLog(file);
    writeSync(log.fd, 'before\n');
    keepSmall(file);
    expect(statSync(file).size).toBe(7);
    appendFileSync(file, Buffer.alloc(33 * 2 ** 20));
    keepSmall(file);
    writeSync(log.fd, 'after\n');
    log.close();
    expect(readFileSync(file, 'utf8')).toBe('after\n');
    expect(statSync(`${file}.1`).size).toBe(7 + 33 * 2 ** 20);
  });

  it('gives its last lines that say something, long ones cut', () => {
    writeFileSync(file, `one\ntwo\n\n${'x'.repeat(400)}\n`);
    expect(tailOf(file, 2)).toEqual(['two', `${'x'.repeat(300)} …`]);
    expect(tailOf(join(folder, 'missing'), 2)).toEqual([]);
  });
});
