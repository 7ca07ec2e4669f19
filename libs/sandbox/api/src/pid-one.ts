import { constants } from 'node:os';
import { join } from 'node:path';
import type { SandboxExit, SandboxSpec } from './sandbox.types.js';

/** Where an instance sees the run directory. */
export const RUN_DIRECTORY = '/run/openscf';

/** The user of instances in the root file system (`qcloud`). */
export const INSTANCE_UID = 1000;
export const INSTANCE_GID = 1000;

/**
 * Pid 1 of a sandbox: a shell that runs the command with its output in the FIFO, reaps what is orphaned, and reports the
 * command's end on descriptor 3 where the driver gave it one, else as its own exit code. The command does not get
 * descriptor 3. When pid 1 ends, the kernel kills all that is left in the sandbox.
 */
const SCRIPT = `exec 2>/dev/null
( exec "$@" ) >${RUN_DIRECTORY}/output 2>&1 3>&-
code=$?
echo $code >&3
exit $code`;

/** The file of the run directory over which drivers mount the program `pidOne`; the caller of a driver need not make it. */
export const PID_ONE_FILE = 'pid-one';

export function pidOneCommand({ command, pidOne }: Pick<SandboxSpec, 'command' | 'pidOne'>): string[] {
  if (pidOne !== undefined) return [join(RUN_DIRECTORY, PID_ONE_FILE), 'pid-one', '--', ...command];
  return ['/bin/sh', '-c', SCRIPT, 'openscf', ...command];
}

/** A shell's `$?` as an exit: 128 + n says that signal n ended the command. Undefined: pid 1 itself was killed. */
export function exitOfCode(code: number | undefined, oomKilled: boolean): SandboxExit {
  if (code === undefined) return { signal: 'SIGKILL', oomKilled };
  const signal = signalName(code - 128);
  return signal ? { signal, oomKilled } : { exitCode: code, oomKilled };
}

function signalName(number: number): NodeJS.Signals | undefined {
  const entry = Object.entries(constants.signals).find(([, value]) => value === number);
  return entry?.[0] as NodeJS.Signals | undefined;
}
