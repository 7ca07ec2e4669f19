// What runs now, written by the supervisor for `npm stop`, `npm run status` and the next start.
import { readFileSync, renameSync, writeFileSync } from 'node:fs';
import type { Home } from './home.ts';
import type { ProcessIdentity } from './process-identity.ts';

export interface RunState {
  phase: 'starting' | 'ready' | 'stopping';
  startedAtMs: number;
  processes: ProcessState[];
}

export interface ProcessState {
  name: string;
  kind: 'part' | 'service';
  health: 'starting' | 'healthy' | 'unhealthy' | 'restarting' | 'stopping' | 'stopped';
  /** Why it is not healthy. */
  detail: string;
  identity: ProcessIdentity | undefined;
  upSinceMs: number | undefined;
  port: number;
  url: string;
  restarts: number;
}

export function writeRunState(home: Home, state: RunState): void {
  const draft = `${home.runStateFile}.${process.pid}`;
  writeFileSync(draft, JSON.stringify(state, undefined, 1));
  renameSync(draft, home.runStateFile);
}

export function readRunState(home: Home): RunState | undefined {
  try {
    return JSON.parse(readFileSync(home.runStateFile, 'utf8')) as RunState;
  } catch {
    return undefined;
  }
}
