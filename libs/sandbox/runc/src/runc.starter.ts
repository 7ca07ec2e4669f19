import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Readable } from 'node:stream';
import { SandboxError, type SandboxSpec } from '@openscf/sandbox-api';
import { containerConfig, type ContainerPlaces } from './container.config.js';
import { HOST_ENV } from './host-command.js';
import type { StartedProcess } from './host.types.js';

/** Starts a container detached: no process of runc stays. `runcRoot`: runc's own state; `bundle`: a folder for this container. */
export async function startWithRunc(
  spec: SandboxSpec,
  places: ContainerPlaces,
  { runcRoot, bundle }: { runcRoot: string; bundle: string },
): Promise<StartedProcess> {
  const { id } = spec;
  await writeFile(join(bundle, 'config.json'), JSON.stringify(containerConfig(spec, places)));
  const [log, pidFile] = [join(bundle, 'runc.log'), join(bundle, 'pid')];
  const global = ['--root', runcRoot, '--log', log, '--log-format', 'json'];
  const run = ['run', '--detach', '--preserve-fds', '1', '--bundle', bundle, '--pid-file', pidFile, id];
  const runc = spawn('runc', [...global, ...run], {
    env: HOST_ENV,
    stdio: ['ignore', 'ignore', 'ignore', 'pipe'],
  });
  const pipe = runc.stdio[3] as Readable;
  // Read from the first moment: Node.js throws away what is unread when runc itself ends.
  const ended = readReport(pipe);
  const code = await exitOf(runc);
  if (code !== 0) {
    pipe.destroy();
    const info = { id, log: await readFile(log, 'utf8').catch(() => '') };
    const message = `runc could not start sandbox ${id}: ${lastMessage(info.log)}`;
    throw new SandboxError('start-failed', message, { info });
  }
  return { pid: Number(await readFile(pidFile, 'utf8')), ended };
}

/** Pid 1 holds the only other end of the pipe, so that ends with it, however it died. It writes its exit code before. */
function readReport(pipe: Readable): Promise<number | undefined> {
  return new Promise((resolve) => {
    let text = '';
    pipe.on('data', (chunk: Buffer) => (text = (text + chunk.toString()).slice(0, 16)));
    pipe.on('error', () => undefined);
    pipe.on('close', () => resolve(/^\d+\n/.test(text) ? Number.parseInt(text, 10) : undefined));
  });
}

async function exitOf(child: ChildProcess): Promise<number | null> {
  const [code] = (await once(child, 'exit')) as [number | null];
  return code;
}

/** The last message of runc's log, which is one JSON object per line. */
function lastMessage(log: string): string {
  const line = log.trim().split('\n').at(-1) ?? '';
  return /"msg":"((?:[^"\\]|\\.)*)"/.exec(line)?.[1]?.replaceAll('\\"', '"') ?? 'it left no message';
}
