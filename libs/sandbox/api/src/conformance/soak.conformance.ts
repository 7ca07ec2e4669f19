import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import type { Sandbox } from '../sandbox.types.js';
import { shellCommand, type Bench, type ConformanceHarness } from './harness.conformance.js';

/** Living at once. */
const CONCURRENCY = 6;

/** What drivers keep ready, such as a batch of FIFOs, may be so many more or less at any moment. */
const KEPT_READY = 5 * CONCURRENCY;

/** Every way in which an instance ends, in turn. */
const LIVES: ((sandbox: Sandbox) => Promise<unknown>)[] = [
  (sandbox) => sandbox.exited,
  (sandbox) => sandbox.destroy(),
  (sandbox) => sandbox.setLimits({ memoryMb: 64, cpuShares: 64 }).then(() => sandbox.destroy()),
  (sandbox) =>
    sandbox
      .usage()
      .catch(() => undefined)
      .then(() => sandbox.exited),
];
const COMMANDS = [
  'echo done',
  'sleep 1000',
  'sleep 1000 & dd if=/dev/zero of=/tmp/x bs=1M count=4 2>&1; sleep 1000',
  'echo x >/tmp/x; (sleep 1000 &); exit 3',
];

export interface SoakReport {
  starts: number;
  failures: string[];
  /** From create to the answer, in milliseconds. */
  startMs: { median: number; p99: number };
  /** What was there after a warm-up, and after all starts. */
  before: Record<string, number>;
  after: Record<string, number>;
}

/** Entries of a folder and of its folders; what is mounted further below is not the driver's. */
async function entriesOf(folder: string): Promise<number> {
  const names = await readdir(folder).catch(() => []);
  const below = await Promise.all(names.map((name) => readdir(join(folder, name)).catch(() => [])));
  return [names, ...below].reduce((sum, list) => sum + list.length, 0);
}

async function countEverything(bench: Bench, harness: ConformanceHarness): Promise<Record<string, number>> {
  const { owner } = bench.options;
  const counts: Record<string, number> = {
    descriptors: (await readdir('/proc/self/fd')).length,
    files: (await entriesOf(`/run/openscf-${owner}`)) + (await entriesOf(`/var/tmp/openscf-${owner}`)),
    mounts: (await readFile('/proc/self/mountinfo', 'utf8'))
      .split('\n')
      .filter((line) => line.includes(owner)).length,
  };
  for (const line of await harness.leftovers(owner)) {
    const kind = line.split(' ')[0] ?? '';
    counts[kind] = (counts[kind] ?? 0) + 1;
  }
  return counts;
}

/** Starts and ends sandboxes, a few at once, and counts what is on the host after the first of them and after all. */
export async function soak(bench: Bench, harness: ConformanceHarness, starts: number): Promise<SoakReport> {
  const times: number[] = [];
  const failures: string[] = [];
  const code = await mkdtemp(join(tmpdir(), 'openscf-soak-'));
  await writeFile(join(code, 'index.js'), 'the function');
  const lateTargets = bench.driver.capabilities().lateMounts ? ['/var/user'] : [];
  const one = async (index: number) => {
    const began = performance.now();
    const command = shellCommand(COMMANDS[index % COMMANDS.length] ?? '');
    const network = index % 3 === 0 ? ('egress' as const) : ('relays' as const);
    const spec = await bench.spec({ command, network, lateTargets });
    const sandbox = await bench.driver.create(spec);
    times.push(performance.now() - began);
    sandbox.output.resume();
    const mounts = lateTargets.map((target) => ({ source: code, target, readOnly: true }));
    if (index % 5 === 1 && mounts.length > 0) await sandbox.attach(mounts);
    await LIVES[index % LIVES.length]?.(sandbox);
    await sandbox.destroy();
    await rm(spec.runDirectory, { recursive: true });
  };
  const run = async (count: number) => {
    let next = 0;
    const worker = async () => {
      while (next < count) await one(next++).catch((error: Error) => failures.push(error.message));
    };
    await Promise.all(Array.from({ length: CONCURRENCY }, worker));
  };
  await run(CONCURRENCY * LIVES.length);
  const before = await countEverything(bench, harness);
  await run(starts);
  const after = await countEverything(bench, harness);
  await rm(code, { recursive: true });
  times.sort((a, b) => a - b);
  const at = (part: number) => Math.round(times[Math.floor((times.length - 1) * part)] ?? 0);
  return { starts, failures, startMs: { median: at(0.5), p99: at(0.99) }, before, after };
}

export function describeSoak(bench: Bench, harness: ConformanceHarness): void {
  const { soakStarts: starts } = harness;
  describe('many starts', () => {
    it(`leaves nothing behind after ${starts} starts`, { timeout: 30 * 60_000 }, async () => {
      const report = await soak(bench, harness, starts);
      console.log(JSON.stringify(report));
      expect(report.failures).toEqual([]);

      for (const [kind, count] of Object.entries(report.after))
        expect([kind, count <= (report.before[kind] ?? 0) + KEPT_READY]).toEqual([kind, true]);
    });
  });
}
