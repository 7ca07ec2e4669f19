import { runCommand } from '../run-command.ts';

/** Builds a program that runs in any root file system: static, and without the paths and symbols of this machine. */
export async function buildGo(sources: string, program: string): Promise<void> {
  await runCommand('go', ['build', '-trimpath', '-ldflags', '-s -w', '-o', program, '.'], {
    cwd: sources,
    env: { ...process.env, CGO_ENABLED: '0' },
  });
}
