import { spawn } from 'node:child_process';
import { accessSync, constants, statSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { EntryError } from './talk.mjs';

const SAY_EVERY_MS = 10_000;

/** Runs a program to its end, says now and then what it does, and fails with its last five lines. Returns its output. */
export function run(program, args, { cwd, env, quiet = false } = {}) {
  return new Promise((resolve, reject) => {
    const tail = [];
    let output = '';
    let saidMs = Date.now();
    const child = spawn(program, args, {
      cwd,
      env: { ...process.env, ...env },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    const take = (text) => {
      for (const line of text.split(/[\r\n]+/).filter((candidate) => candidate.trim() !== '')) {
        tail.push(line);
        if (tail.length > 5) tail.shift();
        if (quiet || Date.now() - saidMs < SAY_EVERY_MS) continue;
        saidMs = Date.now();
        process.stdout.write(`      ${line.slice(0, 120)}\n`);
      }
    };
    child.stdout.setEncoding('utf8').on('data', (text) => {
      output += text;
      take(text);
    });
    child.stderr.setEncoding('utf8').on('data', take);
    child.on('error', (error) => reject(new EntryError(`${program} cannot be run: ${error.message}.`)));
    child.on('close', (code, signal) => {
      if (code === 0) resolve(output);
      else
        reject(
          new EntryError(
            `\`${[program, ...args].join(' ')}\` failed (${signal ?? `exit code ${code}`}).`,
            tail,
          ),
        );
    });
  });
}

/** Whether a program of that name is on the PATH. */
export function hasProgram(name) {
  return (process.env.PATH ?? '').split(delimiter).some((folder) => {
    try {
      accessSync(join(folder, name), constants.X_OK);
      return statSync(join(folder, name)).isFile();
    } catch {
      return false;
    }
  });
}
