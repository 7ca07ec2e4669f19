// Shows steps on a terminal as a living list, elsewhere as plain lines: `[3/9] kafka ready 2.9s`.
import type { Report } from '../caches/cache.ts';
import { LaunchError, sentenceFor } from '../launch.errors.ts';
import type { Progress } from './progress.ts';

export interface Screen {
  isTTY: boolean;
  columns: number;
  write(text: string): void;
}

interface Running {
  name: string;
  sinceMs: number;
  detail: string;
  printedMs: number;
}

const FRAMES = ['⠋', '⠙', '⠹', '⠸', '⠼', '⠴', '⠦', '⠧', '⠇', '⠏'];
/** Without a terminal a slow step says what it does at most this often. */
const PLAIN_DETAIL_MS = 10_000;

export class Printer implements Progress {
  private readonly screen: Screen;
  private readonly total: number;
  private readonly running = new Set<Running>();
  private done = 0;
  private drawnLines = 0;
  private timer: NodeJS.Timeout | undefined;
  private frame = 0;
  private saysFailures = true;

  constructor(screen: Screen, total: number) {
    this.screen = screen;
    this.total = total;
  }

  async step<T>(name: string, work: (report: Report) => Promise<T>): Promise<T> {
    const step: Running = { name, sinceMs: Date.now(), detail: '', printedMs: Date.now() };
    this.running.add(step);
    this.redraw();
    try {
      const result = await work((detail) => this.detail(step, detail));
      this.running.delete(step);
      this.say(`[${++this.done}/${this.total}] ${name} ready ${secondsSince(step.sinceMs)}`);
      return result;
    } catch (error) {
      this.running.delete(step);
      if (this.saysFailures) this.sayFailure(step, error);
      throw error;
    }
  }

  /** From now on steps fail because everything stops: nobody needs to read that. */
  hideFailures(): void {
    this.saysFailures = false;
  }

  say(line: string): void {
    this.clear();
    this.screen.write(`${line}\n`);
    this.redraw();
  }

  private detail(step: Running, detail: string): void {
    step.detail = detail;
    if (this.screen.isTTY || Date.now() - step.printedMs < PLAIN_DETAIL_MS) return;
    step.printedMs = Date.now();
    this.screen.write(`      ${step.name}: ${detail} (${secondsSince(step.sinceMs)})\n`);
  }

  private sayFailure({ name, sinceMs }: Running, error: unknown): void {
    const tail = error instanceof LaunchError ? error.logTail : [];
    const sentence = `✘ ${name} failed after ${secondsSince(sinceMs)}: ${sentenceFor(error)}`;
    this.say([sentence, ...tail.map((line) => `    ${line}`)].join('\n'));
  }

  private redraw(): void {
    if (!this.screen.isTTY) return;
    clearTimeout(this.timer);
    this.clear();
    this.frame = (this.frame + 1) % FRAMES.length;
    const lines = [...this.running].map(({ name, detail, sinceMs }) =>
      `${FRAMES[this.frame]} ${name}  ${secondsSince(sinceMs)}  ${detail}`.slice(0, this.screen.columns - 1),
    );
    this.screen.write(lines.map((line) => `${line}\n`).join(''));
    this.drawnLines = lines.length;
    if (lines.length > 0) this.timer = setTimeout(() => this.redraw(), 120).unref();
  }

  private clear(): void {
    if (this.drawnLines > 0) this.screen.write(`\u001b[${this.drawnLines}A\u001b[J`);
    this.drawnLines = 0;
  }
}

function secondsSince(ms: number): string {
  return `${((Date.now() - ms) / 1_000).toFixed(1)}s`;
}
