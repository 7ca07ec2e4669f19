import { runCommand } from '../run-command.ts';

export interface RootPlaces {
  /** Host folders of the root file system and of the interpreters. */
  rootfs: string;
  languages: string;
  /** Host folder of a bootstrap, and where instances have it. */
  folder: string;
  mounted: string;
}

/** Runs a program as it would be in an instance, with the bootstrap's folder writable, and leaves no mount behind. */
export function runInRoot(
  { rootfs, languages, folder, mounted }: RootPlaces,
  command: string[],
): Promise<string> {
  const script = [
    'set -e',
    'mount --bind "$2" "$1/var/lang"',
    'mount --bind "$3" "$1$4"',
    'mount -t proc proc "$1/proc"',
    'mount -t tmpfs tmpfs "$1/tmp"',
    'mount -t tmpfs tmpfs "$1/dev"',
    'mknod -m 666 "$1/dev/null" c 1 3',
    'mknod -m 666 "$1/dev/urandom" c 1 9',
    'root=$1; shift 4',
    'exec /usr/sbin/chroot "$root" /usr/bin/env -i LANG=en_US.UTF8 LC_ALL=en_US.UTF8 "$@"',
  ].join('\n');
  const args = ['--mount', '--pid', '--fork', '/bin/sh', '-c', script, 'sh'];
  return runCommand('unshare', [...args, rootfs, languages, folder, mounted, ...command]);
}
