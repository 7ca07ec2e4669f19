import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { MAX_PIECE_BYTES, ReceiveWindow, SendWindow } from './flow-window.js';

const WINDOW = 256 * 1024;

describe('flow window', () => {
  it('never has more under way than the window, loses nothing, and never stops while the receiver takes', () => {
    const steps = fc.array(
      fc.record({ write: fc.nat(300_000), deliver: fc.nat(6), take: fc.nat(300_000), grants: fc.nat(3) }),
      { maxLength: 60 },
    );
    fc.assert(
      fc.property(steps, (program) => {
        const sender = new SendWindow(WINDOW);
        const receiver = new ReceiveWindow(WINDOW);
        const wire: number[] = [];
        const grantsUnderWay: number[] = [];
        let unsent = 0;
        let written = 0;
        let held = 0;
        let consumed = 0;
        const send = (): void => {
          for (let piece = sender.take(unsent); piece > 0; piece = sender.take(unsent)) {
            expect(piece).toBeLessThanOrEqual(MAX_PIECE_BYTES);
            unsent -= piece;
            wire.push(piece);
          }
        };
        const deliver = (most: number): void => {
          for (const piece of wire.splice(0, most)) {
            expect(receiver.received(piece)).toBe(true);
            held += piece;
            expect(held).toBeLessThanOrEqual(WINDOW);
          }
        };
        const take = (most: number): void => {
          const taken = Math.min(held, most);
          held -= taken;
          consumed += taken;
          const grant = receiver.consumed(taken);
          if (grant > 0) grantsUnderWay.push(grant);
        };
        const grant = (most: number): void => {
          for (const bytes of grantsUnderWay.splice(0, most)) sender.grant(bytes);
          send();
        };
        for (const step of program) {
          unsent += step.write;
          written += step.write;
          send();
          deliver(step.deliver);
          take(step.take);
          grant(step.grants);
        }
        // With a receiver that goes on taking, everything arrives.
        for (let round = 0; consumed < written; round++) {
          expect(round).toBeLessThan(1_000);
          deliver(Infinity);
          take(Infinity);
          grant(Infinity);
        }
        expect(consumed).toBe(written);
      }),
      { numRuns: 200 },
    );
  });

  it('notices a sender that does not keep to it', () => {
    const receiver = new ReceiveWindow(10);
    expect(receiver.received(10)).toBe(true);
    expect(receiver.received(1)).toBe(false);
  });

  it('does not believe grants of what was never sent', () => {
    const sender = new SendWindow(10);
    sender.grant(1_000_000);
    sender.grant(-5);
    expect(sender.freeBytes).toBe(10);
  });
});
