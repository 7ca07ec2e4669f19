import { cpus } from 'node:os';

/** What the processors have done since the host started, all of them together, in ms. */
export interface ProcessorTimes {
  readonly idleMs: number;
  readonly totalMs: number;
}

/** A look covers this much time at least, and is forgotten after so much. */
const SHORTEST_MS = 100;
const LONGEST_MS = 1_000;
/** With less than this part of their time idle, processors have no room for more. */
const ROOM = 0.2;

/** `unknown` until somebody has asked for a tenth of a second. */
export type Room = 'some' | 'none' | 'unknown';

/** Whether the host's processors had time to spare in the last moments. Costs nothing while nobody asks. */
export class ProcessorRoom {
  private since: (ProcessorTimes & { readonly at: number }) | undefined;
  private answer: Room = 'unknown';

  constructor(
    private readonly read: () => ProcessorTimes = readTimes,
    private readonly now: () => number = () => performance.now(),
  ) {}

  /** To be asked again and again. */
  look(): Room {
    const at = this.now();
    const age = this.since === undefined ? Infinity : at - this.since.at;
    if (age < SHORTEST_MS) return this.answer;
    const times = this.read();
    if (this.since === undefined || age > LONGEST_MS) this.answer = 'unknown';
    else this.answer = idleShare(this.since, times) >= ROOM ? 'some' : 'none';
    this.since = { ...times, at };
    return this.answer;
  }
}

function idleShare(before: ProcessorTimes, after: ProcessorTimes): number {
  const totalMs = after.totalMs - before.totalMs;
  return totalMs > 0 ? (after.idleMs - before.idleMs) / totalMs : 0;
}

function readTimes(): ProcessorTimes {
  let idleMs = 0;
  let totalMs = 0;
  for (const { times } of cpus()) {
    idleMs += times.idle;
    totalMs += times.user + times.nice + times.sys + times.irq + times.idle;
  }
  return { idleMs, totalMs };
}
