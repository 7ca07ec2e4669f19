import { describe, expect, it } from 'vitest';
import { cgroupPlan } from './cgroup.js';
import { deviceOf, staleCandidates, WRITE_BYTES_PER_SECOND } from './write-rate.js';

const LIMITS = { memoryMb: 128, cpuShares: 128, pids: 64, openFiles: 64, tmpMb: 512 };

describe('write rate', () => {
  it('finds its own rules for loop devices, and no others', () => {
    const rules = `8:0 ${WRITE_BYTES_PER_SECOND}\n7:3 ${WRITE_BYTES_PER_SECOND}\n7:4 1000\n`;
    expect(staleCandidates(rules)).toEqual(['7:3']);
    expect(staleCandidates('')).toEqual([]);
  });

  it('names a device as the kernel does', async () => {
    expect(await deviceOf('/proc')).toMatch(/^0:\d+$/);
  });

  it('is in the group of a sandbox where the cgroups are of version 2', () => {
    const rule = [`/sys/fs/cgroup/one/io.max`, `7:3 wbps=${WRITE_BYTES_PER_SECOND}`];
    expect(cgroupPlan(2, '/one', LIMITS, '7:3').files).toContainEqual(rule);
    expect(JSON.stringify(cgroupPlan(2, '/one', LIMITS))).not.toContain('wbps');
    expect(JSON.stringify(cgroupPlan(1, '/one', LIMITS, '7:3'))).not.toContain('7:3');
  });
});
