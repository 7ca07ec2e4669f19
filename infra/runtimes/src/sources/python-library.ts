import { join } from 'node:path';
import { runCommand } from '../run-command.ts';

/** The folder is read-only in instances, so the byte code is made now; newer versions never look at the sources then. */
export async function compileLibrary(folder: string, name: string, library: string): Promise<void> {
  const short = library.replace(/^.*python/, '');
  const python = join(folder, 'bin', `python${short}`);
  const inInstance = `/var/lang/${name}/${library}`;
  const unchecked = short === '2.7' ? [] : ['--invalidation-mode', 'unchecked-hash'];
  await runCommand(python, [
    ...['-m', 'compileall', '-q', ...unchecked, '-x', 'bad_coding|badsyntax'],
    ...['-d', inInstance, join(folder, library)],
  ]);
}
