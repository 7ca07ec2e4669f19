import { execFile } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { CLEAN_ENVIRONMENT } from '../measuring/program.ts';

const run = promisify(execFile);

/** `runc run` of `true` with runc's own example configuration: what the tool takes by itself. */
export class BareRunc {
  private readonly bundle = mkdtempSync(join(tmpdir(), 'openscf-runc-'));
  private runs = 0;

  static async open(rootfs: string): Promise<BareRunc> {
    const bare = new BareRunc();
    await run('runc', ['spec', '--bundle', bare.bundle]);
    const path = join(bare.bundle, 'config.json');
    const config = JSON.parse(readFileSync(path, 'utf8')) as {
      root: object;
      process: { terminal: boolean; args: string[] };
    };
    config.root = { path: rootfs, readonly: true };
    Object.assign(config.process, { terminal: false, args: ['/bin/true'] });
    writeFileSync(path, JSON.stringify(config));
    return bare;
  }

  /** @returns milliseconds from the start of runc to its end */
  async run(): Promise<number> {
    const root = join(this.bundle, 'state');
    const id = `bench-${process.pid}-${this.runs++}`;
    const startedAt = performance.now();
    await run('runc', ['--root', root, 'run', '--bundle', this.bundle, id], { env: CLEAN_ENVIRONMENT });
    return performance.now() - startedAt;
  }

  close(): void {
    rmSync(this.bundle, { recursive: true, force: true });
  }
}
