import { beforeEach, describe, expect, it, vi } from 'vitest';
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
    expect(processors.look()).toBe('unknown');
    pass(100, 0.5);
    expect(processors.look()).toBe('some');
    pass(100, 0.1);
    expect(processors.look()).toBe('none');
  });

  it('stays as it was between two looks', () => {
    processors.look();
    pass(100, 1);
    processors.look();
    pass(50, 0);
    expect(processors.look()).toBe('some');
  });

  it('is not known after a time in which nobody asked', () => {
    processors.look();
    pass(60_000, 1);
    expect(processors.look()).toBe('unknown');
    pass(100, 1);
    expect(processors.look()).toBe('some');
  });

  it('is read from the host', async () => {
    processors = new ProcessorRoom();
    processors.look();
    await vi.waitFor(() => expect(processors.look()).not.toBe('unknown'));
  });
});
