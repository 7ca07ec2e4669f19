import { createHash } from 'node:crypto';
import { chmod, mkdir, rm, rmdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
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
import { cgroupVersion, openCgroup, openOwnerGroup } from './cgroup.js';
import type { ContainerPlaces } from './container.config.js';
import { DriverPaths } from './driver-paths.js';
import { FifoPool } from './fifo.pool.js';
import { canReachPublicNetwork, checkHost } from './host.check.js';
import type { Host, StartedProcess } from './host.types.js';
import { HostIds, SHARED_FIRST_ID } from './host-ids.js';
import { LauncherProcess } from './launcher.process.js';
import { LateMounts, openLateFolder } from './late.mounts.js';
import { nativePlan } from './native.plan.js';
import { NetworkPool } from './network.pool.js';
import { removeEverything, unmountBelow } from './recovery.js';
import { BRIDGES, RouterNetwork } from './router.network.js';
import { startWithRunc } from './runc.starter.js';
import { RunningSandbox } from './running.sandbox.js';
import { ScratchPool } from './scratch.pool.js';
import { SpawningHost } from './spawning.host.js';

/** How sandboxes are started. */
export interface LauncherOptions {
  /**
   * Path of the built program of libs/sandbox/launcher: it starts sandboxes in place of `runc run`, several times faster and
   * without a fork of this process. Without it, and on kernels older than 5.12, runc does.
   */
  launcherProgram?: string;
  /** Folder on a disk for the files behind `/tmp`; cleared by `recover`. Default: `/var/tmp/openscf-<owner>`. */
  scratchDirectory?: string;
}

/** Measured on two cores, with other work on them. */
const TYPICAL_START_MS = { runc: 50, native: 10 };

/** One sandbox is one set of namespaces and cgroups, made by the launcher or by runc; both pass the same tests. */
export class RuncSandboxDriver implements SandboxDriver {
  name: 'runc' | 'native' = 'runc';
  private readonly paths: DriverPaths;
  private host: Host = new SpawningHost();
  private launcher: LauncherProcess | undefined;
  private fifos: FifoPool | undefined;
  private readonly hostIds: HostIds;
  private readonly roots = new Map<string, Promise<string>>();
  private router: RouterNetwork | undefined;
  private networks: NetworkPool | undefined;
  private scratches: ScratchPool | undefined;
  private version: 1 | 2 = 2;

  constructor(
    private readonly options: SandboxDriverOptions,
    private readonly launcherOptions: LauncherOptions,
  ) {
    this.paths = new DriverPaths(options.owner, options.stateDirectory);
    this.hostIds = new HostIds(options.owner);
  }

  capabilities(): SandboxCapabilities {
    const publicEgress = this.router?.publicEgress ?? false;
    return {
      userNamespace: true,
      publicEgress,
      hostAddressesHidden: true,
      lateMounts: true,
      sharedMounts: this.launcher !== undefined,
      tmpOutsideMemory: this.scratches !== undefined,
      typicalStartMs: TYPICAL_START_MS[this.name],
    };
  }

  async prepare(): Promise<void> {
    await this.recover();
    await this.openLauncher();
    await checkHost(this.name);
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
    await openLateFolder(this.host, paths.late);
    this.version = await cgroupVersion();
    await openOwnerGroup(this.version, paths.cgroup);
    const egress = this.options.publicEgress && (await canReachPublicNetwork());
    this.router = new RouterNetwork(
      this.host,
      paths,
      this.options.relays,
      egress,
      this.options.privateNetworks,
    );
    this.networks = new NetworkPool(paths, this.router, this.options.readyNetworks);
    this.fifos = new FifoPool(this.host, paths.fifos);
    await Promise.all([this.router.open(), this.fifos.fill(), this.openScratches()]);
    await this.networks.fill();
  }

  async recover(): Promise<void> {
    await refuseWhenOwned(this.paths.lock, this.options.owner);
    await removeEverything(this.paths);
    await rm(this.scratchDirectory, { recursive: true, force: true });
  }

  async forgetRoot(rootfs: string): Promise<void> {
    const bound = await this.roots.get(rootfs)?.catch(() => undefined);
    this.roots.delete(rootfs);
    if (bound === undefined) return;
    await this.host.unmount(bound);
    await rmdir(bound);
  }

  async close(): Promise<void> {
    await this.networks?.close();
    await this.router?.close();
    await this.scratches?.close();
    await unmountBelow(this.paths.state);
    await this.host.removeCgroup(this.paths.cgroup);
    await this.launcher?.close();
    await rm(this.paths.state, { recursive: true, force: true });
  }

  async create(spec: SandboxSpec): Promise<Sandbox> {
    const { networks, fifos } = this;
    if (!networks || !fifos) throw new SandboxError('host-not-ready', 'prepare() was not called');
    return startOrUndo(spec.id, (undo) => this.start(spec, { networks, fifos }, undo));
  }

  private async start(
    spec: SandboxSpec,
    { networks, fifos }: { networks: NetworkPool; fifos: FifoPool },
    undo: UndoStack,
  ): Promise<Sandbox> {
    const network = await networks.take(spec.network);
    if (network) undo.push(() => networks.giveBack(network));
    const scratch = await this.scratches?.take(spec.limits.tmpMb);
    if (scratch) undo.push(() => this.scratches?.giveBack(scratch));
    const firstHostId = this.firstHostId(spec, undo);
    const fifo = await fifos.take();
    undo.push(() => fifos.remove(fifo));
    const [rootfs] = await Promise.all([this.reachableRoot(spec.rootfs), prepareRunDirectory(spec)]);
    const output = await openFifo(fifo);
    undo.push(() => output.destroy());
    const bundle = join(this.paths.bundles, spec.id);
    await mkdir(bundle);
    undo.push(() => rm(bundle, { recursive: true, force: true }));
    const late = new LateMounts(this.host, join(this.paths.late, spec.id), spec.lateTargets ?? []);
    undo.push(() => late.remove());
    await late.makeFolders();
    const cgroupPath = `/${this.paths.cgroup}/${spec.id}`;
    const hosts = join(bundle, 'hosts');
    const places = {
      rootfs,
      fifo,
      hosts,
      cgroupPath,
      firstHostId,
      lateFolders: late.folders,
      tmpFolder: scratch?.folder,
      tmpDevice: scratch?.device,
      networkNamespace: network?.path,
    };
    await writeFile(hosts, this.hostsFile(spec));
    undo.push(() => rm(join(this.paths.runcRoot, spec.id), { recursive: true, force: true }));
    undo.push(() => this.host.removeCgroup(cgroupPath));
    const { pid, ended } = await this.startProcess(spec, places, bundle);
    return new RunningSandbox(spec.id, {
      pid,
      ended,
      output,
      late,
      release: () => undo.unwind(),
      cgroup: openCgroup(this.version, cgroupPath),
    });
  }

  private firstHostId({ mounts }: SandboxSpec, undo: UndoStack): number {
    const { sharedMounts } = this.capabilities();
    const writesAsItself = mounts.some(({ readOnly, owner }) => !readOnly && !(owner && sharedMounts));
    if (writesAsItself) return SHARED_FIRST_ID;
    const ids = this.hostIds.take();
    undo.push(() => this.hostIds.giveBack(ids));
    return ids.firstId;
  }

  private get scratchDirectory(): string {
    return this.launcherOptions.scratchDirectory ?? `/var/tmp/openscf-${this.options.owner}`;
  }

  private async openScratches(): Promise<void> {
    const { launcher, paths } = this;
    if (!launcher) return;
    const pool = new ScratchPool(launcher, this.scratchDirectory, paths.scratch, this.options.readyNetworks);
    if (await pool.open()) this.scratches = pool;
    else await pool.close();
  }

  private startProcess(spec: SandboxSpec, places: ContainerPlaces, bundle: string): Promise<StartedProcess> {
    if (!this.launcher) return startWithRunc(spec, places, { runcRoot: this.paths.runcRoot, bundle });
    return this.launcher.start(nativePlan(spec, places, this.version, this.paths.roots));
  }

  private async openLauncher(): Promise<void> {
    const { launcherProgram } = this.launcherOptions;
    if (!launcherProgram) return;
    const launcher = new LauncherProcess(launcherProgram, this.paths.state);
    const isUsable = await launcher.check().then(
      () => true,
      () => false,
    );
    if (!isUsable) return launcher.close();
    [this.launcher, this.host, this.name] = [launcher, launcher, 'native'];
  }

  /** Programs that look up their own host name get an answer without asking DNS. */
  private hostsFile({ hostname, network }: SandboxSpec): string {
    const { address } = BRIDGES[network === 'egress' ? 'egress' : 'relays'];
    const relays = this.options.relays.map(({ name }) => `${address}\t${name}\n`);
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
    await this.host.command('mount', ['--bind', '-o', 'ro', rootfs, target]);
    await this.host.command('mount', ['--make-private', target]);
    return target;
  }
}

async function prepareRunDirectory({ runDirectory, pidOne }: SandboxSpec): Promise<void> {
  await chmod(runDirectory, 0o755);
  // The FIFO and the program are mounted onto these files.
  await writeFile(join(runDirectory, 'output'), '');
  if (pidOne) await writeFile(join(runDirectory, PID_ONE_FILE), '');
}
