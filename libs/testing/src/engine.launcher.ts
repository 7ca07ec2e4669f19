import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { access, mkdtemp, readFile, rm } from 'node:fs/promises';
import { request } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { startPortRelay, type PortRelay } from './port-relay.js';

/** A Docker engine for tests. */
export interface Engine {
  socketPath: string;
  /** From now on these ports of the test's 127.0.0.1 are those that containers publish on the engine's. */
  openPorts(ports: readonly number[]): Promise<void>;
  /** Ends the engine and what runs in it, when it was started here. */
  stop(): Promise<void>;
}

const STANDARD_SOCKET = '/var/run/docker.sock';
const START_MS = 60_000;
const TRY_EVERY_MS = 100;
/** An engine may take its socket long before it answers. */
const ANSWER_MS = 2_000;
/** It gives containers 15 seconds to end by themselves. */
const STOP_MS = 45_000;

/**
 * The engine of this host when one runs, else one of its own from the installed `dockerd`, which keeps its data in a
 * temporary folder and lives in network and mount namespaces of its own, so that the host's network and firewall stay as
 * they are.
 */
export async function launchEngine(): Promise<Engine> {
  const nothing = async () => undefined;
  if (await answers(STANDARD_SOCKET))
    return { socketPath: STANDARD_SOCKET, openPorts: nothing, stop: nothing };
  await access('/usr/sbin/dockerd').catch(() => {
    throw new Error('No Docker engine runs and none is installed: apt-get install docker.io');
  });
  const folder = await mkdtemp(join(tmpdir(), 'openscf-engine-'));
  const daemon = startDaemon(folder);
  const relays: PortRelay[] = [];
  const logEnd = async () => (await readFile(join(folder, 'log'), 'utf8').catch(() => '')).slice(-1000);
  const stop = async () => {
    await Promise.all(relays.map((relay) => relay.stop()));
    const inTime = await ended(daemon);
    const log = await logEnd();
    await rm(folder, { recursive: true, force: true });
    if (!inTime) throw new Error(`dockerd did not end within ${STOP_MS} ms and was killed: ${log}`);
  };
  const openPorts = async (ports: readonly number[]) => {
    relays.push(await startPortRelay(`/proc/${daemon.pid}/ns/net`, ports));
  };
  const socketPath = join(folder, 'docker.sock');
  const deadline = performance.now() + START_MS;
  while (!(await answers(socketPath))) {
    if (isOver(daemon) || performance.now() > deadline) {
      const what = isOver(daemon) ? 'ended' : `did not answer within ${START_MS} ms`;
      const log = await logEnd();
      await stop().catch(() => undefined);
      throw new Error(`dockerd ${what}: ${log}`);
    }
    await delay(TRY_EVERY_MS);
  }
  return { socketPath, openPorts, stop };
}

/** `unshare` and the shell become `dockerd`: its process is the one that is returned. It ends when the test's process does. */
function startDaemon(folder: string): ChildProcess {
  const daemon = [
    'setpriv --pdeathsig=TERM dockerd',
    `--data-root=${folder}/data`,
    `--exec-root=${folder}/exec`,
    `--pidfile=${folder}/pid`,
    `--host=unix://${folder}/docker.sock`,
  ].join(' ');
  const script = `ip link set lo up && exec ${daemon} >${folder}/log 2>&1`;
  const namespaces = ['--net', '--mount', '--propagation=slave'];
  return spawn('unshare', [...namespaces, 'sh', '-c', script], { stdio: 'ignore' });
}

function isOver({ exitCode, signalCode }: ChildProcess): boolean {
  return exitCode !== null || signalCode !== null;
}

/** @returns false when it had to be killed */
async function ended(daemon: ChildProcess): Promise<boolean> {
  if (isOver(daemon)) return true;
  const end = once(daemon, 'exit');
  daemon.kill('SIGTERM');
  const kill = setTimeout(() => daemon.kill('SIGKILL'), STOP_MS);
  const [, signal] = (await end) as [number | null, NodeJS.Signals | null];
  clearTimeout(kill);
  return signal !== 'SIGKILL';
}

function answers(socketPath: string): Promise<boolean> {
  return new Promise((resolve) => {
    request({ socketPath, path: '/_ping', signal: AbortSignal.timeout(ANSWER_MS) }, (response) => {
      response.resume();
      resolve(response.statusCode === 200);
    })
      .on('error', () => resolve(false))
      .end();
  });
}
