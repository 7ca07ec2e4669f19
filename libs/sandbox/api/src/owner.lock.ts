import { readFile, writeFile } from 'node:fs/promises';
import { SandboxError } from './sandbox.errors.js';

interface Holder {
  pid: number;
  /** Clock ticks after boot: a pid that was used again has another one. */
  startTime: string;
}

async function startTimeOf(pid: number): Promise<string | undefined> {
  const stat = await readFile(`/proc/${pid}/stat`, 'utf8').catch(() => '');
  // Field 22, counted after the name, which may hold spaces and brackets.
  return stat.slice(stat.lastIndexOf(')') + 2).split(' ')[19];
}

/** Two living processes never act for the same owner: the second would remove what the first one runs. */
export async function refuseWhenOwned(lock: string, owner: string): Promise<void> {
  const text = await readFile(lock, 'utf8').catch(() => '');
  if (text === '') return;
  const holder = JSON.parse(text) as Holder;
  if (holder.pid === process.pid) return;
  if ((await startTimeOf(holder.pid)) !== holder.startTime) return;
  const message = `The owner "${owner}" is in use by process ${holder.pid}: stop it, or choose another owner`;
  throw new SandboxError('host-not-ready', message);
}

export async function takeOwnership(lock: string): Promise<void> {
  const holder: Holder = { pid: process.pid, startTime: (await startTimeOf(process.pid)) ?? '' };
  await writeFile(lock, JSON.stringify(holder));
}
