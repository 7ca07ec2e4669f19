/**
 * Where layers are unpacked: mount namespace and root of its own, in which there is only the system's programs and the layout
 * (read-only) and one folder to write into. What a hostile layer makes umoci do can reach nothing else: version 0.4.7 takes the whiteout
 * `.wh...` for "delete the parent folder", for one.
 *
 * $1: an empty folder, the root; $2: the layout; $3: the folder to write into; then the program and its arguments.
 * Ends with the mounts: they are in the namespace of this process only.
 */
const SCRIPT = `set -e
jail=$1 layout=$2 out=$3
shift 3
mount -t tmpfs -o mode=755 tmpfs "$jail"
mkdir "$jail/layout" "$jail/out"
for name in usr bin sbin lib lib64; do
  if [ -L "/$name" ]; then cp -P "/$name" "$jail/$name"
  elif [ -d "/$name" ]; then mkdir "$jail/$name"; mount --bind -o ro "/$name" "$jail/$name"
  fi
done
mount --bind -o ro "$layout" "$jail/layout"
mount --bind "$out" "$jail/out"
exec chroot "$jail" "$@"`;

export interface JailPlaces {
  /** An empty folder. */
  readonly root: string;
  /** Seen read-only as `/layout`. */
  readonly layout: string;
  /** Seen as `/out`. */
  readonly out: string;
}

/** The command that runs another one inside; one process throughout. Who is not root becomes it in a user namespace. */
export function jailed(command: readonly string[], { root, layout, out }: JailPlaces): [string, string[]] {
  const asRoot = process.getuid?.() === 0 ? [] : ['--user', '--map-root-user'];
  const shell = ['/bin/sh', '-c', SCRIPT, 'openscf-jail', root, layout, out];
  return ['unshare', [...asRoot, '--mount', '--propagation', 'private', '--', ...shell, ...command]];
}
