import { describe, expect, it } from 'vitest';
import { SafeSandboxDriver } from './safe-sandbox.driver.js';
import { FakeSandboxDriver } from './sandbox-driver.fake.js';
import type { SandboxSpec } from './sandbox.types.js';

const spec = (changes: Partial<SandboxSpec> = {}): SandboxSpec => ({
  id: 'one',
  rootfs: '/roots/base',
  command: ['/bin/true'],
  env: {},
  cwd: '/',
  mounts: [],
  runDirectory: '/run/one',
  limits: { memoryMb: 128, cpuShares: 128, pids: 1024, openFiles: 1024, tmpMb: 512 },
  network: 'none',
  hostname: 'instance',
  ...changes,
});

function makeSafe(createTimeoutMs?: number) {
  const fake = new FakeSandboxDriver();
  return { fake, safe: new SafeSandboxDriver(fake, createTimeoutMs) };
}

describe('SafeSandboxDriver', () => {
  it.each<[string, Partial<SandboxSpec>]>([
    ['id', { id: '../up' }],
    ['rootfs', { rootfs: 'relative' }],
    ['mounts.target', { mounts: [{ source: '/a', target: '/var/../etc', readOnly: true }] }],
    ['env', { env: { 'A=B': 'x' } }],
    ['limits.memoryMb', { limits: { ...spec().limits, memoryMb: 1 } }],
    ['limits.cpuShares', { limits: { ...spec().limits, cpuShares: Number.NaN } }],
    ['hostname', { hostname: 'a.b c' }],
  ])('refuses a wrong %s before anything is made', async (field, changes) => {
    const { fake, safe } = makeSafe();
    await expect(safe.create(spec(changes))).rejects.toMatchObject({
      reason: 'invalid-spec',
      info: { field },
    });
    expect(fake.calls).toEqual([]);
  });

  it('refuses an id that lives, and takes it again after destroy', async () => {
    const { safe } = makeSafe();
    const first = await safe.create(spec());
    await expect(safe.create(spec())).rejects.toMatchObject({ reason: 'invalid-spec' });
    await first.destroy();
    await expect(safe.create(spec())).resolves.toMatchObject({ id: 'one' });
  });

  it('takes an id again after its create failed', async () => {
    const { fake, safe } = makeSafe();
    fake.script({ createError: new Error('no room') });
    await expect(safe.create(spec())).rejects.toThrow('no room');
    await expect(safe.create(spec())).resolves.toMatchObject({ id: 'one' });
  });

  it('destroys what comes to life after the deadline', async () => {
    const { fake, safe } = makeSafe(5);
    fake.script({ createHangs: true });
    await expect(safe.create(spec())).rejects.toMatchObject({ reason: 'start-timed-out', retryable: true });
    fake.releaseCreate();
    await expect.poll(() => fake.sandboxes.map(({ destroyed }) => destroyed)).toEqual([true]);
  });

  it('destroys once however often it is asked, and again when that failed', async () => {
    const { fake, safe } = makeSafe();
    fake.script({ destroyError: new Error('busy') });
    const sandbox = await safe.create(spec());
    await expect(sandbox.destroy()).rejects.toThrow('busy');
    await Promise.all([sandbox.destroy(), sandbox.destroy()]);
    expect(fake.living).toEqual([]);
    await expect(sandbox.usage()).rejects.toMatchObject({ reason: 'sandbox-gone' });
  });

  it('does not leave a sandbox running with the wrong limits', async () => {
    const { fake, safe } = makeSafe();
    fake.script({ setLimitsError: new Error('read-only') });
    const sandbox = await safe.create(spec());
    await expect(sandbox.setLimits({ memoryMb: 256, cpuShares: 256 })).rejects.toThrow('read-only');
    expect(fake.living).toEqual([]);
  });

  it('closes after all that live or are being made are destroyed', async () => {
    const { fake, safe } = makeSafe();
    await safe.create(spec());
    fake.script({ createHangs: true });
    const second = safe.create(spec({ id: 'two' }));
    const closed = safe.close();
    fake.releaseCreate();
    await Promise.all([second, closed]);
    expect(fake.sandboxes.map(({ destroyed }) => destroyed)).toEqual([true, true]);
    expect(fake.calls.at(-1)).toBe('close');
    await expect(safe.create(spec({ id: 'three' }))).rejects.toMatchObject({ reason: 'driver-closed' });
  });
});

describe('attach', () => {
  const late = { source: '/code/1', target: '/var/user', readOnly: true };

  it('fills each late target once, and no other folder', async () => {
    const { fake, safe } = makeSafe();
    const sandbox = await safe.create(spec({ lateTargets: ['/var/user'] }));
    const refused = { reason: 'invalid-spec', info: { field: 'mounts.target' } };
    await expect(sandbox.attach([{ ...late, target: '/opt' }])).rejects.toMatchObject(refused);
    await expect(sandbox.attach([late, late])).rejects.toMatchObject(refused);
    await sandbox.attach([late]);
    await expect(sandbox.attach([late])).rejects.toMatchObject(refused);
    expect(fake.sandboxes[0]?.attached).toEqual([late]);
    expect(fake.living).toHaveLength(1);
  });

  it('is refused by a driver that cannot, and the sandbox lives on', async () => {
    const { fake, safe } = makeSafe();
    fake.lateMounts = false;
    const sandbox = await safe.create(spec({ lateTargets: ['/var/user'] }));
    await expect(sandbox.attach([late])).rejects.toMatchObject({ reason: 'not-supported' });
    expect(fake.living).toHaveLength(1);
  });

  it('does not leave a sandbox running with half of its folders', async () => {
    const { fake, safe } = makeSafe();
    fake.script({ attachError: new Error('no such folder') });
    const sandbox = await safe.create(spec({ lateTargets: ['/var/user'] }));
    await expect(sandbox.attach([late])).rejects.toThrow('no such folder');
    expect(fake.living).toEqual([]);
  });
});
