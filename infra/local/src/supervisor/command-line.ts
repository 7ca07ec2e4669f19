import type { Command, UnprivilegedUser } from './child-spec.ts';

/** Program and arguments, wrapped in setpriv(1) on Linux: it sets the signal and the user, then becomes the program. */
export function argvFor(command: Command): string[] {
  const plain = [command.program, ...command.args];
  if (process.platform !== 'linux') return plain;
  const orphanSignal = command.signalWhenOrphaned.replace(/^SIG/, '');
  return [
    'setpriv',
    '--pdeathsig',
    orphanSignal,
    ...(command.runAs ? userArguments(command.runAs) : []),
    '--',
    ...plain,
  ];
}

/**
 * The user may read what root may read, and no more than its own files to write: our folders can lie below /root, which
 * only root can walk through.
 */
function userArguments({ uid, gid }: UnprivilegedUser): string[] {
  return [
    `--reuid=${uid}`,
    `--regid=${gid}`,
    '--clear-groups',
    '--inh-caps=-all,+dac_read_search',
    '--ambient-caps=-all,+dac_read_search',
    '--bounding-set=-all,+dac_read_search',
  ];
}
