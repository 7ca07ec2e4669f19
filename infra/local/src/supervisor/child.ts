// One supervised process: starts it, watches its health, starts it again after a crash, stops it.
//
// States                 process   left by
//   idle                 no        start → starting
//   starting             yes       first good probe → up; exit → waiting
//   up                   yes       exit → waiting
//   waiting              no        back-off over → starting
//   stopping             yes       exit → stopped
//   stopped              no        start → starting
// stop() leads from every state to stopping or stopped.
//
// Invariants
//   1. There is never more than one process of a child.
//   2. Once stop() was called nothing is started until start() is called.
//   3. A process whose supervisor dies gets a signal from the kernel (Linux), so that no orphan stays.
import { spawn, type ChildProcess } from 'node:child_process';
import { setTimeout as delay } from 'node:timers/promises';
import { identify } from '../home/process-identity.ts';
import type { ProcessState } from '../home/run-state.ts';
import { LaunchError } from '../launch.errors.ts';
import { backOffMs } from './back-off.policy.ts';
import type { ChildSpec } from './child-spec.ts';
import { argvFor } from './command-line.ts';
import { giveWay } from './give-way.ts';
import { openLog, tailOf } from './log-file.ts';

type State =
  | { kind: 'idle' }
  | { kind: 'starting'; process: ChildProcess; sinceMs: number }
  | { kind: 'up'; process: ChildProcess; sinceMs: number; fault: string | undefined }
  | { kind: 'waiting'; timer: NodeJS.Timeout; reason: string }
  | { kind: 'stopping'; process: ChildProcess; done: Promise<void> }
  | { kind: 'stopped' };

const PROBE_WHILE_STARTING_MS = 60;
const PROBE_WHILE_UP_MS = 2_000;
/** How often start() looks whether its time is over. */
const WATCH_MS = 500;

export class Child {
  readonly spec: ChildSpec;
  private state: State = { kind: 'idle' };
  private restarts = 0;
  /** Crashes in a row, each sooner after its start than CALM_MS of the back-off. */
  private crashes = 0;
  private lastExit = '';
  /** Resolves at the next change of state. */
  private changed = Promise.withResolvers<void>();
  private readonly onChange: () => void;
  private readonly tell: (line: string) => void;

  /** `onChange` is called at each change of state, `tell` with a line for a person at each crash and each return. */
  constructor(spec: ChildSpec, onChange: () => void, tell: (line: string) => void) {
    this.spec = spec;
    this.onChange = onChange;
    this.tell = tell;
  }

  /** Resolves at the first good probe. Rejects when the process ends `attemptsAtStart` times before, or takes too long. */
  async start(): Promise<void> {
    this.crashes = 0;
    await this.launch();
    const deadline = Date.now() + this.spec.readyTimeoutMs;
    let crashesSeen = 0;
    for (;;) {
      const { state } = this;
      if (state.kind === 'up') return;
      if (state.kind === 'stopping' || state.kind === 'stopped')
        throw new LaunchError(`${this.spec.name} was stopped while it started.`);
      if (this.crashes > crashesSeen) {
        crashesSeen = this.crashes;
        if (crashesSeen >= this.spec.attemptsAtStart)
          throw await this.failure(`ended at once (${this.lastExit})`);
      }
      if (Date.now() > deadline)
        throw await this.failure(`was not ready after ${this.spec.readyTimeoutMs / 1000} s`);
      await Promise.race([this.changed.promise, delay(WATCH_MS, undefined, { ref: false })]);
    }
  }

  /** Asks the process to end, and kills it when it has not within its grace. Safe to call at any time and twice. */
  async stop(): Promise<void> {
    const { state } = this;
    if (state.kind === 'stopping') return state.done;
    if (state.kind === 'waiting') clearTimeout(state.timer);
    if (state.kind !== 'starting' && state.kind !== 'up') return this.become({ kind: 'stopped' });
    const { process: running } = state;
    const done = new Promise<void>((resolve) => {
      const timer = setTimeout(() => running.kill('SIGKILL'), this.spec.stopGraceMs);
      running.once('exit', () => {
        clearTimeout(timer);
        this.become({ kind: 'stopped' });
        resolve();
      });
    });
    this.become({ kind: 'stopping', process: running, done });
    running.kill(this.spec.stopSignal);
    return done;
  }

  /** For fault tests: the supervisor treats what follows as a crash. */
  kill(signal: NodeJS.Signals): void {
    if (this.state.kind === 'starting' || this.state.kind === 'up' || this.state.kind === 'stopping')
      this.state.process.kill(signal);
  }

  get restartCount(): number {
    return this.restarts;
  }

  get pid(): number | undefined {
    return 'process' in this.state ? this.state.process.pid : undefined;
  }

  get isHealthy(): boolean {
    return this.state.kind === 'up' && this.state.fault === undefined;
  }

  report(): ProcessState {
    const { name, kind, port, url } = this.spec;
    const identity = this.pid === undefined ? undefined : identify(this.pid);
    const upSinceMs = this.state.kind === 'up' ? this.state.sinceMs : undefined;
    return { name, kind, port, url, identity, upSinceMs, restarts: this.restarts, ...this.healthNow() };
  }

  private healthNow(): Pick<ProcessState, 'health' | 'detail'> {
    const { state } = this;
    switch (state.kind) {
      case 'up':
        return state.fault === undefined
          ? { health: 'healthy', detail: '' }
          : { health: 'unhealthy', detail: state.fault };
      case 'waiting':
        return { health: 'restarting', detail: state.reason };
      case 'idle':
        return { health: 'starting', detail: 'making what it needs' };
      default:
        return { health: state.kind, detail: '' };
    }
  }

  private async launch(): Promise<void> {
    this.become({ kind: 'idle' });
    await this.spec.beforeStart?.();
    if (this.state.kind !== 'idle') return; // stopped meanwhile
    const log = openLog(this.spec.logFile);
    const command = this.spec.command();
    const [program = '', ...args] = argvFor(command);
    const options = {
      env: command.env,
      cwd: command.cwd,
      detached: true,
      stdio: ['ignore', log.fd, log.fd] as ['ignore', number, number],
    };
    const running = spawn(program, args, options);
    log.close();
    const { givesWayUntil } = this.spec;
    if (givesWayUntil && running.pid !== undefined) void giveWay(running.pid, givesWayUntil);
    running.once('error', (error) => this.ended(running, error.message));
    running.once('exit', (code, signal) => this.ended(running, signal ?? `exit code ${code}`));
    this.become({ kind: 'starting', process: running, sinceMs: Date.now() });
    void this.watch(running);
  }

  private async watch(running: ChildProcess): Promise<void> {
    while (this.isCurrent(running)) {
      const fault = await this.spec.probe().then(
        () => undefined,
        (error: unknown) => (error instanceof Error ? error.message : String(error)),
      );
      const { state } = this;
      if (!this.isCurrent(running)) return;
      if (state.kind === 'starting' && fault === undefined) {
        this.become({ kind: 'up', process: running, sinceMs: Date.now(), fault });
        if (this.restarts > 0) this.tell(`${this.spec.name} is back.`);
      }
      if (state.kind === 'up' && state.fault !== fault) this.become({ ...state, fault });
      await delay(this.state.kind === 'up' ? PROBE_WHILE_UP_MS : PROBE_WHILE_STARTING_MS, undefined, {
        ref: false,
      });
    }
  }

  private isCurrent(running: ChildProcess): boolean {
    return (this.state.kind === 'starting' || this.state.kind === 'up') && this.state.process === running;
  }

  private ended(running: ChildProcess, reason: string): void {
    if (!this.isCurrent(running)) return;
    const upForMs = this.state.kind === 'up' ? Date.now() - this.state.sinceMs : 0;
    this.lastExit = reason;
    this.crashes = upForMs > CALM_MS ? 1 : this.crashes + 1;
    this.restarts += 1;
    const timer = setTimeout(
      () => void this.launch().catch((error: unknown) => this.launchFailed(error)),
      backOffMs(this.crashes),
    );
    this.tell(`${this.spec.name} ended (${reason}) and is started again.`);
    this.become({ kind: 'waiting', timer, reason: `ended (${reason})` });
  }

  private launchFailed(error: unknown): void {
    if (this.state.kind !== 'idle') return;
    this.crashes += 1;
    const timer = setTimeout(
      () => void this.launch().catch((again: unknown) => this.launchFailed(again)),
      backOffMs(this.crashes),
    );
    this.become({ kind: 'waiting', timer, reason: String(error) });
  }

  private become(next: State): void {
    this.state = next;
    this.changed.resolve();
    this.changed = Promise.withResolvers<void>();
    this.onChange();
  }

  private async failure(what: string): Promise<LaunchError> {
    const { name, logFile } = this.spec;
    const tail = tailOf(logFile, 5);
    await this.stop();
    return new LaunchError(`${name} ${what}; its log is ${logFile}.`, tail);
  }
}

/** A process that was up longer than this starts its back-off anew. */
const CALM_MS = 10_000;
