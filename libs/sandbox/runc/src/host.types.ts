import type { SandboxMount } from '@openscf/sandbox-api';

/** What the driver asks of the host while it works. Two ways: programs that this process starts, or the launcher. */
export interface Host {
  /** Runs a program to its end, with `input` on its standard input. Rejects with what it printed on failure. */
  command(program: string, args: readonly string[], input?: string): Promise<string>;
  /** Shows a folder at another place of the host, without set-user-id programs and devices. */
  bind(mount: SandboxMount): Promise<void>;
  /** Fine when nothing is mounted there. */
  unmount(target: string): Promise<void>;
  /** Kills what is in a cgroup and in those below it, and removes them, in every hierarchy. */
  removeCgroup(path: string): Promise<void>;
}

/** Pid 1 of a sandbox that runs. */
export interface StartedProcess {
  /** As the host counts. */
  pid: number;
  /** Its exit code, or undefined when a signal ended it. Resolves soon after its end; never rejects. */
  ended: Promise<number | undefined>;
}
