import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { closeFrame, WebSocketScanner } from './websocket.scanner.js';

/** A frame as RFC 6455 writes it. */
function frame(opcode: number, payload: Buffer, mask: boolean): Buffer {
  const { length } = payload;
  const size = length < 126 ? [length] : length < 65_536 ? [126, length >> 8, length & 255] : undefined;
  const bytes = size ?? [127, 0, 0, 0, 0, ...[24, 16, 8, 0].map((shift) => (length >> shift) & 255)];
  bytes[0] = (bytes[0] ?? 0) | (mask ? 0x80 : 0);
  return Buffer.concat([Buffer.from([0x80 | opcode, ...bytes]), Buffer.alloc(mask ? 4 : 0, 7), payload]);
}

const frames = fc.array(
  fc.record({
    opcode: fc.constantFrom(0, 1, 2, 9, 10),
    size: fc.oneof(fc.nat(200), fc.constantFrom(125, 126, 65_535, 65_536, 70_000)),
    mask: fc.boolean(),
  }),
  { maxLength: 6 },
);

describe('WebSocket scanner', () => {
  it('finds the close frame behind any frames, however the bytes are chopped, and never one inside a payload', () => {
    fc.assert(
      fc.property(frames, fc.array(fc.integer({ min: 1, max: 5_000 }), { maxLength: 40 }), (sent, sizes) => {
        // Payloads look like close frames.
        const bytes = Buffer.concat(
          sent.map(({ opcode, size, mask }) => frame(opcode, Buffer.alloc(size, 0x88), mask)),
        );
        const scanner = new WebSocketScanner();
        let at = 0;
        for (const size of [...sizes, Infinity]) {
          scanner.push(bytes.subarray(at, at + size));
          at += size;
        }
        expect(scanner.closing).toBe(false);
        expect(scanner.isBetweenFrames).toBe(true);
        scanner.push(closeFrame(1000, 'bye'));
        expect(scanner.closing).toBe(true);
      }),
      { numRuns: 50 },
    );
  });
});
