import { spawn } from 'node:child_process';
import { readFile } from 'node:fs/promises';

export interface ToolRun {
  /** Ends the program. A `TimeoutError` as its reason counts as `timed-out`. */
  readonly signal?: AbortSignal;
  /** Ends the program when it has written more, to files and connections together. Kept within a few MB, on Linux only. */
  readonly maxWrittenBytes?: number;
  /** Called with each line of the standard output. */
  readonly onLine?: (line: string) => void;
}

export type ToolOutcome =
  | { readonly kind: 'done'; readonly stdout: Buffer }
  /** `message`: the last thing that it complained of. */
  | { readonly kind: 'failed'; readonly message: string }
  | { readonly kind: 'timed-out' | 'cancelled' | 'wrote-too-much' | 'missing' };

/** Manifests and configurations are far below it. */
const MAX_STDOUT_BYTES = 16 * 1024 * 1024;
const KEPT_STDERR = 16_384;
const LOOK_AT_WRITES_MS = 50;

/** Runs a program to its end, without standard input. Never rejects. */
export function runTool(program: string, args: readonly string[], run: ToolRun = {}): Promise<ToolOutcome> {
  return new Promise((resolve) => {
    const child = spawn(program, args, { stdio: ['ignore', 'pipe', 'pipe'] });
    let ended: ToolOutcome | undefined;
    const end = (outcome: ToolOutcome): void => {
      ended ??= outcome;
      child.kill('SIGKILL');
    };
    const onAbort = (): void => {
      const reason: unknown = run.signal?.reason;
      end({ kind: reason instanceof Error && reason.name === 'TimeoutError' ? 'timed-out' : 'cancelled' });
    };
    if (run.signal?.aborted) onAbort();
    else run.signal?.addEventListener('abort', onAbort, { once: true });
    const watch = watchWrites(child.pid, run.maxWrittenBytes, () => end({ kind: 'wrote-too-much' }));
    const chunks: Buffer[] = [];
    let bytes = 0;
    child.stdout.on('data', (chunk: Buffer) => {
      bytes += chunk.length;
      if (bytes > MAX_STDOUT_BYTES) end({ kind: 'failed', message: `${program} printed too much` });
      else chunks.push(chunk);
      if (run.onLine)
        for (const line of chunk.toString().split('\n')) if (line.trim()) run.onLine(line.trim());
    });
    let stderr = '';
    child.stderr.setEncoding('utf8').on('data', (text: string) => {
      stderr = (stderr + text).slice(-KEPT_STDERR);
    });
    child.on('error', (error: NodeJS.ErrnoException) => {
      ended ??= error.code === 'ENOENT' ? { kind: 'missing' } : { kind: 'failed', message: error.message };
    });
    child.on('close', (code, signal) => {
      clearInterval(watch);
      run.signal?.removeEventListener('abort', onAbort);
      if (ended !== undefined) resolve(ended);
      else if (code === 0) resolve({ kind: 'done', stdout: Buffer.concat(chunks) });
      else
        resolve({
          kind: 'failed',
          message: lastComplaint(stderr) || `${program} ended with ${code ?? signal}`,
        });
    });
  });
}

/** The kernel counts what a process writes. Not read on other systems than Linux. */
function watchWrites(
  pid: number | undefined,
  most: number | undefined,
  onOver: () => void,
): NodeJS.Timeout | undefined {
  if (pid === undefined || most === undefined) return undefined;
  return setInterval(() => {
    void readFile(`/proc/${pid}/io`, 'utf8').then(
      (text) => {
        if (Number(/^wchar: (\d+)/m.exec(text)?.[1]) > most) onOver();
      },
      () => undefined, // it has just ended, or there is no /proc
    );
  }, LOOK_AT_WRITES_MS);
}

/** Both programs log as `… level=fatal msg="…"`, or as plain lines. */
function lastComplaint(stderr: string): string {
  const line = stderr.trimEnd().split('\n').at(-1) ?? '';
  const message = /\bmsg="((?:[^"\\]|\\.)*)"/.exec(line)?.[1];
  return message === undefined ? line.trim() : message.replaceAll(/\\(["\\])/g, '$1').trim();
}
