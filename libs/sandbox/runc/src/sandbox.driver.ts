import { createHash } from 'node:crypto';
import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { chmod, mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Readable } from 'node:stream';
import {
  openFifo,
  PID_ONE_FILE,
  refuseWhenOwned,
  SandboxError,
  takeOwnership,
  type Sandbox,
  type SandboxCapabilities,
  type SandboxDriver,
  type SandboxDriverOptions,
  type SandboxSpec,
  startOrUndo,
  type UndoStack,
} from '@openscf/sandbox-api';
import { cgroupVersion, killAndRemoveCgroup, openCgroup, openOwnerGroup } from './cgroup.js';
import { containerConfig } from './container.config.js';
import { DriverPaths } from './driver-paths.js';
import { FifoPool } from './fifo.pool.js';
import { canReachPublicNetwork, checkHost } from './host.check.js';
import { HOST_ENV, hostCommand } from './host-command.js';
import { HostIds } from './host-ids.js';
import { LateMounts, openLateFolder } from './late.mounts.js';
import { NetworkPool } from './network.pool.js';
import { removeEverything, unmountBelow } from './recovery.js';
import { BRIDGE_ADDRESS, RouterNetwork } from './router.network.js';
import { RunningSandbox } from './running.sandbox.js';

/** Measured on two cores, with other work on them. */
const TYPICAL_START_MS = 50;

/** One sandbox is one runc container that was started detached; no process of runc stays. */
export class RuncSandboxDriver implements SandboxDriver {
  readonly name = 'runc';
  private readonly paths: DriverPaths;
  private readonly fifos: FifoPool;
  private readonly hostIds: HostIds;
  private readonly roots = new Map<string, Promise<string>>();
  private router: RouterNetwork | undefined;
  private networks: NetworkPool | undefined;
  private version: 1 | 2 = 2;

  constructor(private readonly options: SandboxDriverOptions) {
    this.paths = new DriverPaths(options.owner, options.stateDirectory);
    this.fifos = new FifoPool(this.paths.fifos);
    this.hostIds = new HostIds(options.owner);
  }

  capabilities(): SandboxCapabilities {
    const publicEgress = this.router?.publicEgress ?? false;
    return {
      userNamespace: true,
      publicEgress,
      hostAddressesHidden: true,
      lateMounts: true,
      typicalStartMs: TYPICAL_START_MS,
    };
  }

  async prepare(): Promise<void> {
    await checkHost();
    await this.recover();
    try {
      await this.makeWhatIsShared(this.paths);
    } catch (error) {
      await this.close();
      throw error;
    }
  }

  private async makeWhatIsShared(paths: DriverPaths): Promise<void> {
    for (const folder of [paths.state, paths.runcRoot, paths.bundles, paths.roots, paths.fifos])
      // Others may pass through: the mapped root of an instance must reach its root file system.
      await mkdir(folder, { recursive: true, mode: 0o711 });
    await takeOwnership(paths.lock);
    await openLateFolder(paths.late);
    this.version = await cgroupVersion();
    await openOwnerGroup(this.version, paths.cgroup);
    const egress = this.options.publicEgress && (await canReachPublicNetwork());
    this.router = new RouterNetwork(paths, this.options.relays, egress);
    this.networks = new NetworkPool(paths, this.router, this.options.readyNetworks);
    await Promise.all([this.router.open(), this.fifos.fill()]);
    await this.networks.fill();
  }

  async recover(): Promise<void> {
    await refuseWhenOwned(this.paths.lock, this.options.owner);
    await removeEverything(this.paths);
  }

  async close(): Promise<void> {
    await this.networks?.close();
    await this.router?.close();
    await unmountBelow(this.paths.state);
    await killAndRemoveCgroup(this.paths.cgroup);
    await rm(this.paths.state, { recursive: true, force: true });
  }

  async create(spec: SandboxSpec): Promise<Sandbox> {
    const { networks } = this;
    if (!networks) throw new SandboxError('host-not-ready', 'prepare() was not called');
    return startOrUndo(spec.id, (undo) => this.start(spec, networks, undo));
  }

  private async start(spec: SandboxSpec, networks: NetworkPool, undo: UndoStack): Promise<Sandbox> {
    const network = await networks.take(spec.network);
    if (network) undo.push(() => networks.giveBack(network));
    const ids = this.hostIds.take();
    undo.push(() => this.hostIds.giveBack(ids));
    const fifo = await this.fifos.take();
    undo.push(() => this.fifos.remove(fifo));
    const [rootfs] = await Promise.all([this.reachableRoot(spec.rootfs), prepareRunDirectory(spec)]);
    const output = await openFifo(fifo);
    undo.push(() => output.destroy());
    const bundle = join(this.paths.bundles, spec.id);
    await mkdir(bundle);
    undo.push(() => rm(bundle, { recursive: true, force: true }));
    const late = new LateMounts(join(this.paths.late, spec.id), spec.lateTargets ?? []);
    undo.push(() => late.remove());
    await late.makeFolders();
    const cgroupPath = `/${this.paths.cgroup}/${spec.id}`;
    const hosts = join(bundle, 'hosts');
    const places = {
      rootfs,
      fifo,
      hosts,
      cgroupPath,
      firstHostId: ids.firstId,
      lateFolders: late.folders,
      networkNamespace: network?.path,
    };
    await Promise.all([
      writeFile(hosts, this.hostsFile(spec)),
      writeFile(join(bundle, 'config.json'), JSON.stringify(containerConfig(spec, places))),
    ]);
    undo.push(() => rm(join(this.paths.runcRoot, spec.id), { recursive: true, force: true }));
    undo.push(() => killAndRemoveCgroup(cgroupPath));
    const { pid, report } = await this.runContainer(spec.id, bundle);
    return new RunningSandbox(spec.id, {
      pid,
      report,
      output,
      late,
      release: () => undo.unwind(),
      cgroup: openCgroup(this.version, cgroupPath),
    });
  }

  private async runContainer(id: string, bundle: string): Promise<{ pid: number; report: Promise<string> }> {
    const [log, pidFile] = [join(bundle, 'runc.log'), join(bundle, 'pid')];
    const global = ['--root', this.paths.runcRoot, '--log', log, '--log-format', 'json'];
    const run = ['run', '--detach', '--preserve-fds', '1', '--bundle', bundle, '--pid-file', pidFile, id];
    const runc = spawn('runc', [...global, ...run], {
      env: HOST_ENV,
      stdio: ['ignore', 'ignore', 'ignore', 'pipe'],
    });
    const pipe = runc.stdio[3] as Readable;
    // Read from the first moment: Node.js throws away what is unread when runc itself ends.
    const report = readReport(pipe);
    const code = await exitOf(runc);
    if (code !== 0) {
      pipe.destroy();
      const info = { id, log: await readFile(log, 'utf8').catch(() => '') };
      throw new SandboxError('start-failed', `runc could not start sandbox ${id}: ${lastMessage(info.log)}`, {
        info,
      });
    }
    return { pid: Number(await readFile(pidFile, 'utf8')), report };
  }

  /** Programs that look up their own host name get an answer without asking DNS. */
  private hostsFile({ hostname }: SandboxSpec): string {
    const relays = this.options.relays.map(({ name }) => `${BRIDGE_ADDRESS}\t${name}\n`);
    return `127.0.0.1\tlocalhost ${hostname}\n${relays.join('')}`;
  }

  /** The cache may lie in a home folder that others cannot enter; a read-only bind of it can be reached. */
  private reachableRoot(rootfs: string): Promise<string> {
    let bound = this.roots.get(rootfs);
    if (!bound) {
      bound = this.bindRoot(rootfs);
      this.roots.set(rootfs, bound);
      bound.catch(() => this.roots.delete(rootfs));
    }
    return bound;
  }

  private async bindRoot(rootfs: string): Promise<string> {
    const target = join(this.paths.roots, createHash('sha256').update(rootfs).digest('hex').slice(0, 16));
    await mkdir(target, { recursive: true });
    await hostCommand('mount', ['--bind', '-o', 'ro', rootfs, target]);
    await hostCommand('mount', ['--make-private', target]);
    return target;
  }
}

async function prepareRunDirectory({ runDirectory, pidOne }: SandboxSpec): Promise<void> {
  await chmod(runDirectory, 0o755);
  // The FIFO and the program are mounted onto these files.
  await writeFile(join(runDirectory, 'output'), '');
  if (pidOne) await writeFile(join(runDirectory, PID_ONE_FILE), '');
}

function readReport(pipe: Readable): Promise<string> {
  return new Promise((resolve) => {
    let text = '';
    pipe.on('data', (chunk: Buffer) => (text = (text + chunk.toString()).slice(0, 16)));
    pipe.on('error', () => undefined);
    pipe.on('close', () => resolve(text));
  });
}

async function exitOf(child: ChildProcess): Promise<number | null> {
  const [code] = (await once(child, 'exit')) as [number | null];
  return code;
}

/** The last message of runc's log, which is one JSON object per line. */
function lastMessage(log: string): string {
  const line = log.trim().split('\n').at(-1) ?? '';
  return /"msg":"((?:[^"\\]|\\.)*)"/.exec(line)?.[1]?.replaceAll('\\"', '"') ?? 'it left no message';
}
