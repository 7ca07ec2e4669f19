// All supervised processes of one home: start order is the caller's, stop order is services first, then parts.
import type { Home } from '../home/home.ts';
import { isAlive, type ProcessIdentity } from '../home/process-identity.ts';
import { readRunState, writeRunState, type RunState } from '../home/run-state.ts';
import { setTimeout as delay } from 'node:timers/promises';
import { Child } from './child.ts';
import type { ChildSpec } from './child-spec.ts';
import { keepSmall } from './log-file.ts';

const LOGS_EVERY_MS = 60_000;

export class Supervisor {
  private readonly home: Home;
  private readonly children = new Map<string, Child>();
  private readonly startedAtMs = Date.now();
  private phase: RunState['phase'] = 'starting';
  private tell: (line: string) => void = () => {};

  constructor(home: Home) {
    this.home = home;
    setInterval(() => this.keepLogsSmall(), LOGS_EVERY_MS).unref();
  }

  /** Starts a process and resolves when it is healthy. From now on it is started again whenever it ends. */
  async start(spec: ChildSpec): Promise<void> {
    if (this.phase === 'stopping') throw new Error(`${spec.name} is not started: the platform is stopping.`);
    const child = new Child(
      spec,
      () => this.record(),
      (line) => this.tell(line),
    );
    this.children.set(spec.name, child);
    await child.start();
  }

  /** `tell` gets a line for a person whenever a process ends by itself, and when it is back. */
  onCrash(tell: (line: string) => void): void {
    this.tell = tell;
  }

  ready(): void {
    this.phase = 'ready';
    this.record();
  }

  /** Stops the services together, then the parts together, and resolves when no process is left. */
  async stop(onKind: (kind: 'service' | 'part') => void = () => {}): Promise<void> {
    this.phase = 'stopping';
    for (const kind of ['service', 'part'] as const) {
      const ofKind = [...this.children.values()].filter((child) => child.spec.kind === kind);
      if (ofKind.length > 0) onKind(kind);
      await Promise.all(ofKind.map((child) => child.stop()));
    }
  }

  /** For an impatient second Ctrl-C. */
  killAll(): void {
    for (const child of this.children.values()) child.kill('SIGKILL');
  }

  child(name: string): Child {
    const child = this.children.get(name);
    if (child === undefined)
      throw new Error(`No process "${name}" runs here; there are ${[...this.children.keys()].join(', ')}.`);
    return child;
  }

  private keepLogsSmall(): void {
    for (const { spec } of this.children.values()) keepSmall(spec.logFile);
  }

  private record(): void {
    const processes = [...this.children.values()].map((child) => child.report());
    writeRunState(this.home, { phase: this.phase, startedAtMs: this.startedAtMs, processes });
  }
}

/** Ends what an earlier supervisor that was killed left behind in this home. Returns how many processes those were. */
export async function sweepOrphans(home: Home): Promise<number> {
  const orphans = (readRunState(home)?.processes ?? [])
    .map(({ identity }) => identity)
    .filter((identity): identity is ProcessIdentity => identity !== undefined && isAlive(identity));
  for (const { pid } of orphans) process.kill(pid, 'SIGTERM');
  const deadline = Date.now() + 10_000;
  while (orphans.some(isAlive) && Date.now() < deadline) await delay(50);
  for (const orphan of orphans.filter(isAlive)) process.kill(orphan.pid, 'SIGKILL');
  while (orphans.some(isAlive)) await delay(20);
  return orphans.length;
}
