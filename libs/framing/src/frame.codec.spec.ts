import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { FrameDecoder } from './frame.decoder.js';
import { encodeFrame } from './frame.encoder.js';
import type { Frame } from './frame.types.js';
import { FramingError } from './framing.errors.js';

const frames = fc.array(
  fc.record({
    kind: fc.integer({ min: 0, max: 255 }),
    streamId: fc.integer({ min: 0, max: 0xffff_ffff }),
    head: fc.dictionary(fc.string(), fc.string({ unit: 'grapheme' })),
    body: fc.uint8Array({ maxLength: 300 }).map((bytes) => Buffer.from(bytes)),
  }),
  { maxLength: 8 },
);

function decode(chunks: readonly Buffer[]): { received: Frame[]; atBoundary: boolean } {
  const received: Frame[] = [];
  const decoder = new FrameDecoder((frame) => received.push(frame));
  for (const chunk of chunks) decoder.push(chunk);
  return { received, atBoundary: decoder.atBoundary };
}

function chop(bytes: Buffer, sizes: readonly number[]): Buffer[] {
  const chunks: Buffer[] = [];
  let offset = 0;
  for (const size of sizes) {
    chunks.push(bytes.subarray(offset, offset + size));
    offset += size;
  }
  chunks.push(bytes.subarray(offset));
  return chunks;
}

describe('frame codec', () => {
  it('gives back what was encoded, however the bytes are chopped', () => {
    fc.assert(
      fc.property(frames, fc.array(fc.integer({ min: 0, max: 40 }), { maxLength: 60 }), (sent, sizes) => {
        const bytes = Buffer.concat(sent.map((f) => encodeFrame(f.kind, f.streamId, f.head, f.body)));
        const { received, atBoundary } = decode(chop(bytes, sizes));
        expect(atBoundary).toBe(true);
        expect(
          received.map((f) => ({
            ...f,
            head: JSON.parse(f.head.toString()) as unknown,
            body: Buffer.from(f.body),
          })),
        ).toEqual(sent);
      }),
    );
  });

  it('never delivers a frame from bytes that are cut short', () => {
    fc.assert(
      fc.property(fc.nat(200), (cut) => {
        const bytes = encodeFrame(1, 7, { a: 'b' }, Buffer.alloc(220));
        const { received, atBoundary } = decode([bytes.subarray(0, cut)]);
        expect(received).toHaveLength(0);
        expect(atBoundary).toBe(cut === 0);
      }),
    );
  });

  it('either decodes or refuses any bytes, with a FramingError', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 100 }), (bytes) => {
        try {
          decode([Buffer.from(bytes)]);
        } catch (error) {
          expect(error).toBeInstanceOf(FramingError);
        }
      }),
    );
  });

  it('takes a head that is encoded already', () => {
    const { received } = decode([encodeFrame(2, 1, '{"ü":1}'), encodeFrame(2, 2, Buffer.from('{}'))]);
    expect(received.map((f) => f.head.toString())).toEqual(['{"ü":1}', '{}']);
  });

  it('refuses a frame beyond the limits before it is all there', () => {
    const limits = { maxHeadBytes: 10, maxBodyBytes: 100 };
    const decoder = new FrameDecoder(() => undefined, limits);
    const header = Buffer.alloc(4);
    header.writeUInt32BE(1_000_000);
    expect(() => decoder.push(header)).toThrow(/1000000 bytes; accepted are 9 to 119/);
    expect(() => new FrameDecoder(() => undefined, limits).push(encodeFrame(1, 1, '"0123456789"'))).toThrow(
      /head of 12/,
    );
  });
});
