import { openHome } from '../home/home.ts';
import { lockHolder } from '../home/lock.ts';
import { isAlive } from '../home/process-identity.ts';
import { readRunState, type ProcessState } from '../home/run-state.ts';
import type { Settings } from '../settings.ts';

const COLUMNS = ['NAME', 'HEALTH', 'PID', 'PORT', 'UPTIME', 'RESTARTS', ''];

/** Prints what runs. Exit code 0 only when the platform is ready and every process healthy. */
export async function status(settings: Settings): Promise<number> {
  const home = openHome(settings.home);
  const holder = lockHolder(home.lockFile);
  const state = readRunState(home);
  if (holder === undefined || state === undefined) {
    console.log(`OpenSCF does not run (home ${home.root}).`);
    return 1;
  }
  const processes = state.processes.map(withTruth);
  console.log(table([COLUMNS, ...processes.map(row)]));
  console.log(`\nsupervisor: process ${holder.pid}, ${state.phase}`);
  return state.phase === 'ready' && processes.every(({ health }) => health === 'healthy') ? 0 : 1;
}

/** What was written may be older than the end of a process. */
function withTruth(process: ProcessState): ProcessState {
  const gone = process.identity !== undefined && !isAlive(process.identity);
  return gone ? { ...process, health: 'stopped', detail: 'ended just now' } : process;
}

function row({ name, health, identity, port, upSinceMs, restarts, detail }: ProcessState): string[] {
  return [
    name,
    health,
    String(identity?.pid ?? '-'),
    String(port),
    upSinceMs === undefined ? '-' : duration(Date.now() - upSinceMs),
    String(restarts),
    detail,
  ];
}

function duration(ms: number): string {
  const seconds = Math.floor(ms / 1_000);
  const parts = [
    [Math.floor(seconds / 86_400), 'd'],
    [Math.floor(seconds / 3_600) % 24, 'h'],
    [Math.floor(seconds / 60) % 60, 'm'],
    [seconds % 60, 's'],
  ] as const;
  return parts
    .filter(([count, unit]) => count > 0 || unit === 's')
    .slice(0, 2)
    .map(([count, unit]) => `${count}${unit}`)
    .join(' ');
}

function table(rows: string[][]): string {
  const widths = COLUMNS.map((_column, index) => Math.max(...rows.map((cells) => cells[index]?.length ?? 0)));
  return rows
    .map((cells) =>
      cells
        .map((cell, index) => cell.padEnd(widths[index] ?? 0))
        .join('  ')
        .trimEnd(),
    )
    .join('\n');
}
