import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Bench } from './harness.conformance.js';

export function describeIsolation(bench: Bench): void {
  describe('isolation', () => {
    let folder: string;
    beforeAll(async () => {
      folder = await mkdtemp(join(tmpdir(), 'openscf-host-secret-'));
      await mkdir(join(folder, 'code'));
      await writeFile(join(folder, 'secret'), 'of the host');
      await writeFile(join(folder, 'code', 'index.js'), 'the function');
    });
    afterAll(async () => {
      await rm(folder, { recursive: true });
    });

    it('refuses to write anywhere but /tmp', async () => {
      const places = [
        '/',
        '/etc',
        '/var/user',
        '/var/user/index.js',
        '/opt',
        '/home/qcloud',
        '/run/openscf',
        '/dev',
        '/usr/bin',
        '/proc/sys/kernel',
      ];
      const mounts = [{ source: join(folder, 'code'), target: '/var/user', readOnly: true }];
      const script = places
        .map(
          (place) =>
            `(echo x >${place.includes('.') ? place : `${place}/new`}) 2>/dev/null && echo ${place}; `,
        )
        .join('');
      const { output } = await bench.shell(
        `cat /var/user/index.js; echo; ${script} echo x >/tmp/new && echo /tmp`,
        { mounts },
      );
      expect(output).toBe('the function\n/tmp\n');
    });

    it('sees neither files of the host nor those of another sandbox', async () => {
      const other = await bench.create({
        command: ['/bin/sh', '-c', 'echo mine >/tmp/mine; echo ready; sleep 1000'],
      });
      await new Promise((resolve) => other.output.once('data', resolve));
      const { output } = await bench.shell(
        `cat ${folder}/secret /etc/shadow /root/.profile /tmp/mine /proc/1/root/etc/shadow 2>/dev/null; ls -A /tmp`,
      );
      await other.destroy();
      expect(output).toBe('');
    });

    it('sees only its own processes', async () => {
      const other = await bench.create({ command: ['/bin/sleep', '1000'] });
      const { output } = await bench.shell(
        'cat /proc/[0-9]*/comm | sort -u | tr "\\n" " "; kill -0 -1 2>/dev/null; ls -d /proc/[0-9]* | wc -l',
      );
      await other.destroy();
      expect(output).not.toContain('sleep');
      expect(Number(output.split(' ').at(-1))).toBeLessThan(8);
    });

    it('learns nothing from masked files of /proc, and cannot change kernel settings', async () => {
      const { output } = await bench.shell(
        'cat /proc/kcore 2>/dev/null | wc -c; cat /proc/keys /proc/timer_list /proc/sched_debug 2>/dev/null; (echo 1 >/proc/sys/kernel/panic) 2>/dev/null || echo refused; (echo c >/proc/sysrq-trigger) 2>/dev/null || echo refused',
      );
      expect(output).toBe('0\nrefused\nrefused\n');
    });
  });
}
