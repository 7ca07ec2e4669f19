import { chmod, chown, mkdir, readFile, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import type { SandboxMount } from '../sandbox.types.js';
import type { Bench } from './harness.conformance.js';

const OWNER = { uid: 10_000, gid: 10_033 };
const TARGET = '/opt';

/** A folder of the host, as a mount for whoever may write to it. */
async function makeShare(
  bench: Bench,
  name: string,
  mode: number,
  folderOwner?: typeof OWNER,
): Promise<SandboxMount> {
  const source = join(bench.folder, name);
  await mkdir(source);
  await chmod(source, mode);
  if (folderOwner) await chown(source, folderOwner.uid, folderOwner.gid);
  return { source, target: TARGET, readOnly: false, owner: OWNER };
}

export function describeSharedMounts(bench: Bench): void {
  describe('folders that sandboxes share', () => {
    it.each(['with an owner', 'without one'])('lets each write to what another has made, %s', async (how) => {
      const shared = await makeShare(bench, `open ${how}`, 0o777);
      const mount = how === 'with an owner' ? shared : { ...shared, owner: undefined };
      // The first lives while the second runs.
      const first = await bench.create({
        command: [
          '/bin/bash',
          '-c',
          `mkfifo /tmp/wait; cd ${TARGET} && echo one >file && echo ready
until grep -q two file; do read -t 0.01 _ <>/tmp/wait; done; cat file; sleep 1000`,
        ],
        mounts: [mount],
      });
      const lines = first.output[Symbol.asyncIterator]() as AsyncIterator<Buffer>;
      expect(String((await lines.next()).value)).toBe('ready\n');
      const second = await bench.shell(`echo two >>${TARGET}/file; cat ${TARGET}/file`, {
        mounts: [mount],
      });
      expect(second.output).toBe('one\ntwo\n');
      expect(String((await lines.next()).value)).toBe('one\ntwo\n');
      await first.destroy();
      expect(await readFile(join(mount.source, 'file'), 'utf8')).toBe('one\ntwo\n');
    });
  });
  describeOwners(bench);
}

function describeOwners(bench: Bench): void {
  describe('folders with an owner', () => {
    const keepsOwner = (): boolean => bench.driver.capabilities().sharedMounts;

    it("makes files that are the owner's on the host, in a folder that is open to him alone", async () => {
      if (!keepsOwner()) return;
      const mount = await makeShare(bench, 'private', 0o700, OWNER);
      await writeFile(join(mount.source, 'given'), 'given', { mode: 0o600 });
      await chown(join(mount.source, 'given'), OWNER.uid, OWNER.gid);
      const script = `cd ${TARGET}; cat given; echo; mkdir -p sub; echo x >sub/new; stat -c '%u:%g' . given sub/new`;
      expect((await bench.shell(script, { mounts: [mount] })).output).toBe(
        'given\n1000:1000\n1000:1000\n1000:1000\n',
      );
      expect(await stat(join(mount.source, 'sub/new'))).toMatchObject(OWNER);
    });

    it('gives no right that the owner has not: folders and files of others, root among them', async () => {
      if (!keepsOwner()) return;
      const mount = await makeShare(bench, 'of-root', 0o755);
      await writeFile(join(mount.source, 'public'), 'read me', { mode: 0o644 });
      await writeFile(join(mount.source, 'secret'), 'of root', { mode: 0o600 });
      // What the instance's user is elsewhere gives it nothing here.
      await writeFile(join(mount.source, 'namesake'), 'of 1000', { mode: 0o600 });
      await chown(join(mount.source, 'namesake'), 1000, 1000);
      const script = `cd ${TARGET}; cat public; echo; (echo x >new || echo x >public || cat secret || cat namesake || chmod 777 .) 2>/dev/null || echo refused; stat -c '%u' public namesake`;
      const { output } = await bench.shell(script, { mounts: [mount] });
      expect(output).toBe('read me\nrefused\n65534\n65534\n');
    });

    it('keeps ids apart where sandboxes have several folders of different owners', async () => {
      if (!keepsOwner()) return;
      const other = { uid: 4_294_967_294, gid: 1 };
      const one = await makeShare(bench, 'one', 0o700, OWNER);
      const two = { ...(await makeShare(bench, 'two', 0o700, other)), target: '/var/user', owner: other };
      const { exit } = await bench.shell(`echo x >${TARGET}/new && echo x >/var/user/new`, {
        mounts: [one, two],
      });
      expect(exit.exitCode).toBe(0);
      expect(await stat(join(one.source, 'new'))).toMatchObject(OWNER);
      expect(await stat(join(two.source, 'new'))).toMatchObject(other);
    });

    it('names the folder whose file system has no mounts with owners', async () => {
      if (!keepsOwner()) return;
      const mounts = [{ source: '/proc/self/fdinfo', target: TARGET, readOnly: false, owner: OWNER }];
      await expect(bench.create({ mounts })).rejects.toMatchObject({
        reason: 'start-failed',
        message: expect.stringMatching(/\/proc\/self\/fdinfo .*file system.* mapped ids/) as string,
      });
    });

    it.each([
      { uid: 0, gid: 1 },
      { uid: 1, gid: 0 },
      { uid: 1.5, gid: 1 },
      { uid: 1, gid: 4_294_967_295 },
    ])('refuses root and what is no id as the owner: %o', async (owner) => {
      const mounts = [{ source: bench.folder, target: TARGET, readOnly: false, owner }];
      await expect(bench.create({ mounts })).rejects.toMatchObject({
        reason: 'invalid-spec',
        info: { field: 'mounts.owner' },
      });
    });
  });
}
