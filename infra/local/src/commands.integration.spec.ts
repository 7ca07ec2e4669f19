// The commands that people type, as processes: start, a second start, status, stop, and a supervisor that is killed.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { openHome } from './home/home.ts';
import { lockHolder } from './home/lock.ts';
import { isAlive, type ProcessIdentity } from './home/process-identity.ts';
import { readRunState } from './home/run-state.ts';
import { freePortSet } from './ports.ts';
import { PORTS, type PortName, type Ports } from './settings.ts';

const LAUNCHER = join(import.meta.dirname, 'main.ts');

describe('commands', () => {
  let folder: string;
  let ports: Ports;
  let environment: NodeJS.ProcessEnv;

  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), 'openscf-commands-'));
    ports = await freePortSet();
    const portVariables = Object.entries(PORTS).map(([name, { variable }]) => [
      variable,
      String(ports[name as PortName]),
    ]);
    environment = {
      ...process.env,
      ...Object.fromEntries(portVariables),
      OPENSCF_HOME: join(folder, 'home'),
    };
  });

  afterAll(async () => {
    await run('stop');
    rmSync(folder, { recursive: true });
  });

  async function run(...args: string[]): Promise<{ code: number; output: string }> {
    const launcher = spawn(process.execPath, [LAUNCHER, ...args], {
      env: environment,
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    const [out, err, [code]] = await Promise.all([
      text(launcher.stdout),
      text(launcher.stderr),
      once(launcher, 'exit'),
    ]);
    return { code: code as number, output: out + err };
  }

  function processesOfHome(): ProcessIdentity[] {
    const state = readRunState(openHome(join(folder, 'home')));
    return (state?.processes ?? []).flatMap(({ identity }) => (identity === undefined ? [] : [identity]));
  }

  it('says that nothing runs', async () => {
    expect(await run('status')).toMatchObject({
      code: 1,
      output: expect.stringContaining('does not run') as string,
    });
    expect(await run('stop')).toMatchObject({
      code: 0,
      output: expect.stringContaining('does not run') as string,
    });
  });

  it('names the port that is taken, and its variable', async () => {
    const other = createServer().listen(ports.minio, '127.0.0.1');
    await once(other, 'listening');
    const { code, output } = await run('start', '--parts-only');
    other.close();
    expect(code).toBe(1);
    expect(output).toBe(
      `✘ Port ${ports.minio} for minio is taken by another program: free it, or set OPENSCF_MINIO_PORT to another port.\n`,
    );
  });

  it('starts in the background, says so when asked again, and shows a table', async () => {
    const first = await run('start', '--parts-only', '--detach');
    expect(first.output).toMatch(/\[3\/3\] \w+ ready/);
    expect(first.code).toBe(0);
    for (const again of [await run('start', '--parts-only'), await run('start', '--detach')]) {
      expect(again).toMatchObject({
        code: 0,
        output: expect.stringContaining('OpenSCF runs already (process ') as string,
      });
    }
    const { code, output } = await run('status');
    expect(code).toBe(0);
    for (const part of ['kafka', 'postgres', 'minio'])
      expect(output).toMatch(new RegExp(`^${part} +healthy +\\d+`, 'm'));
  });

  it('starts again after its supervisor was killed, with nothing of the first left', async () => {
    const before = processesOfHome();
    const supervisor = lockHolder(join(folder, 'home/run/supervisor.lock')) as ProcessIdentity;
    process.kill(supervisor.pid, 'SIGKILL');
    await vi.waitUntil(() => !before.some(isAlive), { timeout: 10_000 });
    expect((await run('status')).code).toBe(1);
    expect((await run('start', '--parts-only', '--detach')).code).toBe(0);
  });

  it('stops and waits until all is gone', async () => {
    const before = processesOfHome();
    expect(before).toHaveLength(3);
    expect(await run('stop')).toMatchObject({
      code: 0,
      output: expect.stringContaining('has stopped') as string,
    });
    expect(before.filter(isAlive)).toEqual([]);
  });
});
