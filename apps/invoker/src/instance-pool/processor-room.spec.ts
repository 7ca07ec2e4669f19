import { beforeEach, describe, expect, it } from 'vitest';
import { ProcessorRoom } from './processor-room.js';

describe('room on the processors', () => {
  let clock: number;
  let times: { idleMs: number; totalMs: number };
  let processors: ProcessorRoom;

  beforeEach(() => {
    clock = 0;
    times = { idleMs: 1_000, totalMs: 5_000 };
    processors = new ProcessorRoom(
      () => times,
      () => clock,
    );
  });

  function pass(ms: number, idleShare: number): void {
    clock += ms;
    times = { idleMs: times.idleMs + 2 * ms * idleShare, totalMs: times.totalMs + 2 * ms };
  }

  it('is what they had in the last moments', () => {
    expect(processors.hasRoom()).toBe(false);
    pass(100, 0.5);
    expect(processors.hasRoom()).toBe(true);
    pass(100, 0.1);
    expect(processors.hasRoom()).toBe(false);
  });

  it('stays as it was between two looks', () => {
    processors.hasRoom();
    pass(100, 1);
    processors.hasRoom();
    pass(50, 0);
    expect(processors.hasRoom()).toBe(true);
  });

  it('is not known after a time in which nobody asked', () => {
    processors.hasRoom();
    pass(60_000, 1);
    expect(processors.hasRoom()).toBe(false);
    pass(100, 1);
    expect(processors.hasRoom()).toBe(true);
  });

  it('is read from the host', () => {
    expect(typeof new ProcessorRoom().hasRoom()).toBe('boolean');
  });
});
