import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';

/** A program that listens somewhere and is measured from outside. */
export interface Program {
  readonly process: ChildProcess;
  readonly url: string;
  stop(): Promise<void>;
}

/** Inherited variables change how fast an interpreter starts and runs: a measured program gets these and its own. */
export const CLEAN_ENVIRONMENT = { PATH: process.env['PATH'] ?? '', HOME: '/nonexistent', LANG: 'C.UTF-8' };

const READY_WITHIN_MS = 30_000;

/** Starts a program and waits until its URL answers, whatever it answers. */
export async function startProgram(
  command: readonly [string, ...string[]],
  options: { url: string; cwd?: string; env?: Record<string, string> },
): Promise<Program> {
  const [file, ...args] = command;
  const child = spawn(file, args, {
    cwd: options.cwd,
    env: { ...CLEAN_ENVIRONMENT, ...options.env },
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  let errors = '';
  child.stderr.on('data', (chunk: Buffer) => (errors = (errors + chunk.toString()).slice(-2_000)));
  const deadline = Date.now() + READY_WITHIN_MS;
  while (!(await answers(options.url))) {
    if (child.exitCode !== null || Date.now() > deadline) {
      child.kill('SIGKILL');
      throw new Error(`${command.join(' ')} does not answer: ${errors}`);
    }
  }
  return { process: child, url: options.url, stop: () => stopped(child) };
}

async function answers(url: string): Promise<boolean> {
  try {
    await (await fetch(url, { method: 'POST', body: '{}' })).arrayBuffer();
    return true;
  } catch {
    return new Promise((resolve) => setTimeout(() => resolve(false), 20));
  }
}

async function stopped(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const ended = once(child, 'exit');
  child.kill('SIGKILL');
  await ended;
}
