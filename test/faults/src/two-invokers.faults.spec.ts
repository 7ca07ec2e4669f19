import { tmpdir } from 'node:os';
import { chmod, mkdir, mkdtemp, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { eventually } from '@openscf/testing';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { FaultsPlatform, type CallEnd } from './faults.platform.js';
import { LEDGER_SOURCE, RunLedger, type RunFilter } from './run-ledger.js';

const MEMORY_MB = 128;
const ROOM = 8;
const HOLD_MS = 200;
const CALLERS = 24;
/** Much less than any time-out of a function, a heartbeat or a grant. */
const AT_ONCE_MS = 5_000;
const WINDOW_MS = 1_000;
const FIRST = 'ap-guangzhou';
const SECOND = 'second';

describe('two invokers under load, one killed and one stopped', () => {
  let platform: FaultsPlatform;
  let folder: string;
  let ledger: RunLedger;

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'openscf-ledger-'));
    await mkdir(join(folder, 'ledger'));
    await chmod(join(folder, 'ledger'), 0o777);
    ledger = new RunLedger(join(folder, 'ledger/runs'), HOLD_MS);
    platform = await FaultsPlatform.start({
      OPENSCF_CONCURRENCY_QUOTA_MB: String(ROOM * MEMORY_MB),
      OPENSCF_SHARED_FILE_SYSTEMS: `cfs-ledger=${folder}`,
    });
  });

  afterAll(async () => {
    await platform.stop();
    await rm(folder, { recursive: true, force: true });
  });

  /** So many have run at the same time, and not more, for a while that begins now or later. */
  async function reaches(count: number, filter: RunFilter = {}): Promise<void> {
    const from = Date.now();
    const look = async (): Promise<boolean> => {
      const since = Date.now() - WINDOW_MS;
      expect(await ledger.mostAtOnce({ since, ...filter }), JSON.stringify(filter)).toBe(count);
      return since >= from;
    };
    await eventually(look, { timeoutMs: 30_000, intervalMs: 200 });
  }

  it('keeps the quota exactly and usable, and tells callers at once', async () => {
    const { cloud, running } = platform;
    const CfsInsList = [
      {
        UserId: '1000',
        UserGroupId: '1000',
        CfsId: 'cfs-ledger',
        MountInsId: 'cfs-ledger',
        LocalMountDir: '/mnt/ledger',
        RemoteMountDir: '/ledger',
      },
    ];
    await platform.deploy({ FunctionName: 'ledger', CfsConfig: { CfsInsList } }, LEDGER_SOURCE);
    const second = await platform.startInvoker(SECOND);
    const load = platform.load('ledger', CALLERS, { holdMs: HOLD_MS });
    const bothServe = () =>
      Promise.all([reaches(ROOM), reaches(ROOM / 2, { where: FIRST }), reaches(ROOM / 2, { where: SECOND })]);
    await bothServe();

    const killedAt = Date.now();
    second.kill('SIGKILL');
    await reaches(ROOM / 2, { where: FIRST });
    await platform.startInvoker(SECOND);
    await bothServe();

    const stoppedAt = Date.now();
    running.kill('invoker', 'SIGSTOP');
    await reaches(ROOM / 2, { where: SECOND });
    // Long enough that nobody can have waited for it to wake.
    const isLate = ({ sentAt, statusCode }: CallEnd) => statusCode === 0 && sentAt > stoppedAt + AT_ONCE_MS;
    await eventually(() => load.ends.some(isLate), { timeoutMs: 30_000 });
    running.kill('invoker', 'SIGCONT');
    await bothServe();

    await load.stop();
    expect(await ledger.mostAtOnce()).toBe(ROOM);
    expect(load.ends.filter(({ tookMs }) => tookMs > AT_ONCE_MS + HOLD_MS)).toEqual([]);
    // What was under way on an invoker when it was killed or stopped, or was sent to it before that was noticed, is lost: once for
    // each who called. Nothing else is.
    const lost = load.ends.filter(({ statusCode }) => ![0, 432].includes(statusCode));
    const lostBetween = (from: number, to: number) =>
      lost.filter(({ sentAt, tookMs }) => sentAt + tookMs >= from && sentAt + tookMs < to);
    const excused = [
      lostBetween(killedAt, Math.min(killedAt + AT_ONCE_MS, stoppedAt)),
      lostBetween(stoppedAt, stoppedAt + AT_ONCE_MS),
    ];
    for (const ends of excused) {
      const callers = ends.map(({ id }) => id.slice(0, id.indexOf('-')));
      expect(new Set(callers).size).toBe(callers.length);
    }
    expect(lost.filter((end) => !excused.flat().includes(end))).toEqual([]);
    expect((await cloud.GetFunction({ FunctionName: 'ledger' })).Status).toBe('Active');
  });
});
