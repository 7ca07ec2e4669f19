import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { inCache } from '../measuring/cache.ts';

/** A runtime as prepare has written it down, with paths of the host in place of those of an instance. */
export interface HostRuntime {
  readonly name: string;
  readonly command: readonly [string, ...string[]];
  readonly env: Readonly<Record<string, string>>;
  readonly rootfs: string;
}

interface Manifest {
  rootfs: string;
  runtimes: {
    name: string;
    command: string[];
    env: Record<string, string>;
    mounts: { source: string; target: string }[];
  }[];
}

/** The runtime's own interpreter and bootstrap, to be started on the host without any sandbox. */
export function hostRuntime(name: string): HostRuntime {
  const manifest = JSON.parse(readFileSync(inCache('runtimes/runtimes.json'), 'utf8')) as Manifest;
  const runtime = manifest.runtimes.find((one) => one.name === name);
  if (!runtime) throw new Error(`no runtime ${name}: run \`node infra/runtimes/prepare.ts\``);
  const onHost = (path: string) => {
    const mount = runtime.mounts.find(({ target }) => path.startsWith(`${target}/`));
    if (mount) return mount.source + path.slice(mount.target.length);
    return path.startsWith('/') ? join(manifest.rootfs, path) : path;
  };
  const command = runtime.command.map(onHost) as [string, ...string[]];
  return { name, command, env: runtime.env, rootfs: manifest.rootfs };
}
