import { spawn } from 'node:child_process';

interface CommandOptions {
  cwd?: string;
  env?: NodeJS.ProcessEnv;
  /** The program is killed after this time. */
  timeout?: number;
}

/** A download that makes no progress is given up after this, and tried again. */
const DOWNLOAD_TIMEOUT_MS = 180_000;
const DOWNLOAD_TRIES = 3;

/** For programs that fetch from a registry: a stalled or broken connection is tried again. */
export async function runDownload(
  program: string,
  args: string[],
  options: CommandOptions & { /** Undoes what a failed try has left. */ cleanUp?: () => Promise<void> } = {},
): Promise<string> {
  for (let attempt = 1; ; attempt += 1) {
    try {
      return await runCommand(program, args, { ...options, timeout: DOWNLOAD_TIMEOUT_MS });
    } catch (error) {
      if (attempt === DOWNLOAD_TRIES) throw error;
      await options.cleanUp?.();
    }
  }
}

/** Runs a program to its end. Rejects with the end of what it printed when it fails. */
export function runCommand(program: string, args: string[], options: CommandOptions = {}): Promise<string> {
  return new Promise((resolve, reject) => {
    const child = spawn(program, args, { ...options, stdio: ['ignore', 'pipe', 'pipe'] });
    let stdout = '';
    let printed = '';
    child.stdout.setEncoding('utf8').on('data', (text: string) => {
      stdout += text;
      printed = (printed + text).slice(-4000);
    });
    child.stderr.setEncoding('utf8').on('data', (text: string) => {
      printed = (printed + text).slice(-4000);
    });
    child.on('error', reject);
    child.on('close', (code, signal) => {
      if (code === 0) resolve(stdout);
      else reject(new Error(`${program} ${args[0] ?? ''} ended with ${code ?? signal}: ${printed.trim()}`));
    });
  });
}
