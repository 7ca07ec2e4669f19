// Tools of the machine (mvn, go, npm, …) that fill caches. They get the user's whole environment, because proxies,
// certificates and mirrors are set there.
import { spawn, type ChildProcess } from 'node:child_process';
import { accessSync, constants, statSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { stripVTControlCharacters } from 'node:util';
import { LaunchError } from '../launch.errors.ts';
import type { Report } from './cache.ts';

export interface ToolRun {
  cwd?: string;
  env?: Record<string, string>;
  /** Called with each line that the tool prints. */
  onLine?: Report;
  input?: string;
}

/** Each leads a process group of its own, so that Ctrl-C reaches them through endTools alone. */
const running = new Set<ChildProcess>();
let mayRun = true;

/** Runs a tool to its end and returns what it wrote to stdout. A failure carries the last five lines that it printed. */
export function runTool(
  program: string,
  args: string[],
  { cwd, env, onLine, input }: ToolRun = {},
): Promise<string> {
  if (!mayRun) return Promise.reject(new LaunchError(`${program} is not run any more: everything stops.`));
  return new Promise((resolve, reject) => {
    const tail: string[] = [];
    let output = '';
    const tool = spawn(program, args, {
      cwd,
      env: { ...process.env, ...env },
      stdio: ['pipe', 'pipe', 'pipe'],
      detached: true,
    });
    running.add(tool);
    const take = (text: string) => {
      for (const line of text.split(/[\r\n]+/).map(stripVTControlCharacters)) {
        if (line.trim() === '') continue;
        tail.push(line);
        if (tail.length > 5) tail.shift();
        onLine?.(line.trim());
      }
    };
    tool.stdout.setEncoding('utf8').on('data', (text: string) => {
      output += text;
      take(text);
    });
    tool.stderr.setEncoding('utf8').on('data', take);
    tool.stdin.on('error', () => {}); // the tool ended without reading: its exit code tells more
    tool.stdin.end(input ?? '');
    tool.on('error', (error) => reject(new LaunchError(`${program} cannot be run: ${error.message}.`)));
    tool.on('close', (code, signal) => {
      running.delete(tool);
      if (code === 0) resolve(output);
      else
        reject(
          new LaunchError(
            `\`${[program, ...args].join(' ')}\` failed (${signal ?? `exit code ${code}`}).`,
            tail,
          ),
        );
    });
  });
}

/** Ends all tools that run, with the processes that they started, and lets no other begin. Their runs fail. */
export function endTools(): void {
  mayRun = false;
  for (const { pid } of running) if (pid !== undefined) process.kill(-pid, 'SIGTERM');
}

/** Full path of a program on the PATH. */
export function findProgram(name: string): string | undefined {
  for (const folder of (process.env['PATH'] ?? '').split(delimiter)) {
    const candidate = join(folder, name);
    try {
      accessSync(candidate, constants.X_OK);
      if (folder !== '' && statSync(candidate).isFile()) return candidate;
    } catch {
      // not in this folder
    }
  }
  return undefined;
}
