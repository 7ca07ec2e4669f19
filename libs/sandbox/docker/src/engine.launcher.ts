import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { access, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import Docker from 'dockerode';

export interface Engine {
  socketPath: string;
  stop(): Promise<void>;
}

const STANDARD_SOCKET = '/var/run/docker.sock';
const START_TRIES = 300;
const TRY_EVERY_MS = 100;

async function answers(socketPath: string): Promise<boolean> {
  return new Docker({ socketPath }).ping().then(
    () => true,
    () => false,
  );
}

/**
 * For tests: the engine of this host when one runs, else one of its own from the installed `dockerd`, which keeps its
 * data in a temporary folder and lives in network and mount namespaces of its own, so that the host's network and
 * firewall stay as they are.
 */
export async function launchEngine(): Promise<Engine> {
  if (await answers(STANDARD_SOCKET)) return { socketPath: STANDARD_SOCKET, stop: async () => undefined };
  await access('/usr/sbin/dockerd').catch(() => {
    throw new Error('No Docker engine runs and none is installed: apt-get install docker.io');
  });
  const folder = await mkdtemp(join(tmpdir(), 'openscf-engine-'));
  const socketPath = join(folder, 'docker.sock');
  const flags = [
    `--data-root=${folder}/data`,
    `--exec-root=${folder}/exec`,
    `--pidfile=${folder}/pid`,
    `--host=unix://${socketPath}`,
  ];
  await writeFile(
    join(folder, 'start'),
    `ip link set lo up && exec dockerd ${flags.join(' ')} >${folder}/log 2>&1\n`,
  );
  const engine = spawn('unshare', ['--net', '--mount', '--propagation=slave', 'sh', join(folder, 'start')], {
    stdio: 'ignore',
  });
  const ended = once(engine, 'exit');
  const stop = async () => {
    engine.kill('SIGTERM');
    await ended;
    await rm(folder, { recursive: true, force: true });
  };
  for (let tries = 0; tries < START_TRIES && engine.exitCode === null; tries += 1) {
    if (await answers(socketPath)) return { socketPath, stop };
    await delay(TRY_EVERY_MS);
  }
  const log = await readFile(join(folder, 'log'), 'utf8');
  await stop();
  throw new Error(`dockerd did not start: ${log.slice(-1000)}`);
}
