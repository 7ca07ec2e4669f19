import { setImmediate as turn } from 'node:timers/promises';
import { PassThrough, Readable } from 'node:stream';
import fc from 'fast-check';
import { describe, expect, it, vi } from 'vitest';
import { MAX_LINE_BYTES, OutputReader } from './output.reader.js';

async function read(chunks: readonly Buffer[]): Promise<string[]> {
  const lines: string[] = [];
  const output = Readable.from(chunks, { objectMode: false });
  new OutputReader(output, (text) => lines.push(text));
  await new Promise((resolve) => output.on('close', resolve));
  return lines;
}

describe('output reader', () => {
  it('gives the lines that were printed, however the bytes are chopped', async () => {
    const lines = fc.array(
      fc.string({ unit: 'grapheme' }).map((text) => text.replaceAll(/[\r\n]/g, '')),
      { maxLength: 10 },
    );
    await fc.assert(
      fc.asyncProperty(lines, fc.array(fc.integer({ min: 1, max: 30 })), async (printed, sizes) => {
        const bytes = Buffer.from(printed.map((line) => `${line}\n`).join(''));
        const chunks: Buffer[] = [];
        let at = 0;
        for (const size of sizes) chunks.push(bytes.subarray(at, (at += size)));
        chunks.push(bytes.subarray(at));
        expect(await read(chunks.filter((chunk) => chunk.length > 0))).toEqual(printed);
      }),
    );
  });

  it('takes what has no line end for a line', async () => {
    expect(await read([Buffer.from('a\r\nb')])).toEqual(['a', 'b']);
  });

  it('replaces what is not UTF-8', async () => {
    expect(await read([Buffer.from([0x61, 0xff, 0x62, 0x0a])])).toEqual(['a\ufffdb']);
  });

  it('cuts a line without end, says so, and reads on behind it', async () => {
    const long = Array.from({ length: 40 }, () => Buffer.alloc(10_000, 'x'));
    const lines = await read([...long, Buffer.from('\nnext\n')]);
    expect(lines).toHaveLength(2);
    expect(lines[0]).toMatch(/x … \[line cut at 64 KB\]$/);
    expect(lines[0]?.indexOf(' ')).toBe(MAX_LINE_BYTES);
    expect(lines[1]).toBe('next');
  });

  it('lets others have their turn between the parts of one flood', async () => {
    const output = new PassThrough({ highWaterMark: 1 << 20 });
    let lines = 0;
    new OutputReader(output, () => (lines += 1));
    output.write(Buffer.alloc(65_536, '\n'));
    await turn();
    expect(lines).toBeGreaterThan(0);
    expect(lines).toBeLessThan(65_536);
    output.end();
    await vi.waitFor(() => expect(lines).toBe(65_536), 4_000);
  });

  it('makes who prints without end wait, and reads on at once where the end of a request waits for its lines', async () => {
    const output = new PassThrough({ highWaterMark: 1 << 20 });
    let lines = 0;
    const reader = new OutputReader(output, () => (lines += 1));
    const flood = Buffer.alloc(65_536, '\n');
    let printed = 0;
    const print = async (): Promise<void> => {
      output.write(flood);
      printed += flood.length;
      await turn();
    };
    let before = -1;
    while (lines > before) {
      before = lines;
      await (lines === printed ? print() : turn());
    }
    await print();
    expect(lines).toBe(before);
    reader.hurry(true);
    await turn();
    expect(lines).toBe(printed);
    // Only what was under way is hurried.
    for (let more = 0; more < 4; more += 1) await print();
    expect(lines).toBeLessThan(printed);
    reader.hurry(false);
    await vi.waitFor(() => expect(lines).toBe(printed), 4_000);
    output.destroy();
  });
});
