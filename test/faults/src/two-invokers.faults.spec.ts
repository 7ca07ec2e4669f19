import { tmpdir } from 'node:os';
import { chmod, mkdir, mkdtemp, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { eventually } from '@openscf/testing';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { FaultsPlatform, type CallEnd } from './faults.platform.js';
import { LEDGER_SOURCE, mostAtOnce } from './run-ledger.js';

const MEMORY_MB = 128;
const QUOTA_MB = 8 * MEMORY_MB;
const HOLD_MS = 200;
const CALLERS = 24;
/** Much less than any time-out of a function, a heartbeat or a grant. */
const AT_ONCE_MS = 5_000;

describe('two invokers under load, one killed and one stopped', () => {
  let platform: FaultsPlatform;
  let folder: string;

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'openscf-ledger-'));
    await mkdir(join(folder, 'ledger'));
    await chmod(join(folder, 'ledger'), 0o777);
    platform = await FaultsPlatform.start({
      OPENSCF_CONCURRENCY_QUOTA_MB: String(QUOTA_MB),
      OPENSCF_SHARED_FILE_SYSTEMS: `cfs-ledger=${folder}`,
    });
  });

  afterAll(async () => {
    await platform.stop();
    await rm(folder, { recursive: true, force: true });
  });

  it('keeps the quota exactly, and tells callers at once', async () => {
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
    const second = await platform.startInvoker('second');

    const seen: CallEnd[] = [];
    let over = false;
    const load = platform.load('ledger', CALLERS, { holdMs: HOLD_MS }, () => over);
    const succeeded = async (): Promise<CallEnd> => {
      const end = await platform.call('ledger', `probe-${Date.now()}`, { holdMs: HOLD_MS });
      seen.push(end);
      if (end.statusCode !== 0) throw new Error(end.message);
      return end;
    };
    await eventually(succeeded, { timeoutMs: 30_000 });

    second.kill('SIGKILL');
    await eventually(succeeded, { timeoutMs: 30_000 });
    const third = await platform.startInvoker('second');
    await eventually(succeeded, { timeoutMs: 30_000 });

    running.kill('invoker', 'SIGSTOP');
    await eventually(succeeded, { timeoutMs: 60_000 });
    running.kill('invoker', 'SIGCONT');
    await eventually(succeeded, { timeoutMs: 30_000 });

    over = true;
    const ends = [...(await load), ...seen];
    expect(third.exitCode).toBeNull();
    const good = ends.filter(({ statusCode }) => statusCode === 0);
    expect(good.length).toBeGreaterThan(CALLERS);
    expect(ends.filter(({ tookMs }) => tookMs > AT_ONCE_MS + HOLD_MS)).toEqual([]);
    const other = ends.filter(({ statusCode }) => ![0, 432].includes(statusCode));
    // Only what was under way on an invoker when it was killed or stopped may have failed otherwise.
    expect(other.length).toBeLessThanOrEqual((2 * QUOTA_MB) / MEMORY_MB + CALLERS);
    expect(await mostAtOnce(join(folder, 'ledger/runs'), HOLD_MS)).toBeLessThanOrEqual(QUOTA_MB / MEMORY_MB);
    expect((await cloud.GetFunction({ FunctionName: 'ledger' })).Status).toBe('Active');
  });
});
