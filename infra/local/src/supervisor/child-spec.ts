/** What the supervisor must know of a process. */
export interface ChildSpec {
  name: string;
  kind: 'part' | 'service';
  /** Where people and services reach it. */
  port: number;
  url: string;
  /** Called before each start, also after a crash. */
  command: () => Command;
  /** Files that must be there first; called before each start. */
  beforeStart?: () => Promise<void>;
  /** Resolves when the process can do its work, rejects with the reason when it cannot. */
  probe: () => Promise<void>;
  logFile: string;
  readyTimeoutMs: number;
  /** How often the process may end before start() gives up. */
  attemptsAtStart: number;
  stopSignal: NodeJS.Signals;
  /** Milliseconds from the stop signal to SIGKILL. */
  stopGraceMs: number;
  /** Until it settles all others come first on the processors; see `giveWay`. */
  givesWayUntil?: Promise<unknown>;
}

export interface Command {
  program: string;
  args: string[];
  /** The whole environment of the process: nothing is inherited. */
  env: Record<string, string>;
  cwd?: string;
  /** Signal from the kernel when the supervisor dies (Linux). */
  signalWhenOrphaned: NodeJS.Signals;
  /** Run as this user instead of root (Linux, only when the supervisor is root). */
  runAs?: UnprivilegedUser;
}

export interface UnprivilegedUser {
  uid: number;
  gid: number;
}
