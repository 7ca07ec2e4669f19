import { execFile } from 'node:child_process';
import { chmod, mkdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import {
  openFifo,
  OUTPUT_FIFO_MODE,
  PID_ONE_FILE,
  refuseWhenOwned,
  takeOwnership,
  type Sandbox,
  type SandboxCapabilities,
  type SandboxDriver,
  type SandboxDriverOptions,
  type SandboxSpec,
  startOrUndo,
  type UndoStack,
} from '@openscf/sandbox-api';
import type Docker from 'dockerode';
import { containerConfig } from './container.config.js';
import { DriverNames } from './driver.names.js';
import { engineClient, type EngineOptions } from './engine.client.js';
import { ExitWatch } from './exit.watch.js';
import { checkEngine } from './host.check.js';
import { NetworkPool } from './network.pool.js';
import { removeEverything } from './recovery.js';
import { RelayContainer } from './relay.container.js';
import { RootfsImages } from './rootfs.images.js';
import { RunningSandbox } from './running.sandbox.js';

/** Measured on two cores, with other work on them. */
const TYPICAL_START_MS = 400;

/** One sandbox is one container of an engine on this host, with a network of its own. */
export class DockerSandboxDriver implements SandboxDriver {
  readonly name = 'docker';
  private readonly docker: Docker;
  private readonly names: DriverNames;
  private readonly state: string;
  private readonly images: RootfsImages;
  private shared: Promise<NetworkPool> | undefined;
  private relay: RelayContainer | undefined;
  private userNamespace = false;

  constructor(
    private readonly options: SandboxDriverOptions,
    engine?: EngineOptions,
  ) {
    this.docker = engineClient(engine);
    this.images = new RootfsImages(engine);
    this.names = new DriverNames(options.owner);
    this.state = options.stateDirectory ?? `/run/openscf-${options.owner}`;
  }

  capabilities(): SandboxCapabilities {
    const { publicEgress } = this.options;
    const { userNamespace } = this;
    // The engine's bridges lead to every address of the host that something listens on, but loopback.
    return {
      userNamespace,
      publicEgress,
      hostAddressesHidden: !publicEgress,
      // The engine may be in another mount namespace than this process, or on another machine.
      lateMounts: false,
      // The engine has no setting for it; its containers are all the same users of the host.
      sharedMounts: false,
      typicalStartMs: TYPICAL_START_MS,
    };
  }

  async prepare(): Promise<void> {
    this.userNamespace = (await checkEngine(this.docker)).userNamespace;
    await this.recover();
    await mkdir(this.state, { recursive: true, mode: 0o711 });
    await takeOwnership(join(this.state, 'owner.json'));
  }

  async recover(): Promise<void> {
    await refuseWhenOwned(join(this.state, 'owner.json'), this.options.owner);
    await removeEverything(this.docker, this.names, this.state);
  }

  async forgetRoot(rootfs: string): Promise<void> {
    await this.images.forget(rootfs);
  }

  async close(): Promise<void> {
    const networks = await this.shared?.catch(() => undefined);
    await this.relay?.stop();
    await networks?.close();
    await rm(this.state, { recursive: true, force: true });
  }

  async create(spec: SandboxSpec): Promise<Sandbox> {
    return startOrUndo(spec.id, (undo) => this.start(spec, undo));
  }

  private async start(spec: SandboxSpec, undo: UndoStack): Promise<Sandbox> {
    const image = await this.images.of(spec.rootfs);
    const networks = await this.sharedNetworks(spec.rootfs);
    const network = await networks.take(
      this.options.publicEgress || spec.network === 'none' ? spec.network : 'relays',
    );
    if (network) undo.push(() => networks.giveBack(network));
    const output = await makeOutput(spec.runDirectory);
    if (spec.pidOne) await writeFile(join(spec.runDirectory, PID_ONE_FILE), '');
    undo.push(() => output.destroy());
    const places = {
      name: this.names.container(spec.id),
      image,
      labels: this.names.labels,
      ...(network && { network }),
    };
    const container = await this.docker.createContainer(containerConfig(spec, places, this.options.relays));
    undo.push(() => container.remove({ force: true, v: true }));
    const exit = await ExitWatch.begin(container);
    await container.start().catch((error: unknown) => {
      exit.stop();
      throw error;
    });
    undo.pop();
    return new RunningSandbox(spec.id, { container, output, exit, release: () => undo.unwind() });
  }

  /** Where no base is given, the relay container runs from the same image as the first instance, so both wait for it. */
  private sharedNetworks(rootfs: string): Promise<NetworkPool> {
    if (!this.shared) {
      this.shared = this.makeShared(this.options.baseRootfs ?? rootfs);
      // The next start tries again.
      this.shared.catch(() => (this.shared = undefined));
    }
    return this.shared;
  }

  private async makeShared(rootfs: string): Promise<NetworkPool> {
    const { relays, readyNetworks, publicEgress } = this.options;
    if (relays.length > 0) this.relay = new RelayContainer(this.docker, this.names, relays, this.state);
    const image = await this.images.of(rootfs);
    await this.relay?.start(image).catch(async (error: unknown) => {
      await this.relay?.stop();
      throw error;
    });
    const kind = publicEgress ? 'egress' : 'relays';
    return new NetworkPool(this.docker, this.names, this.relay, readyNetworks, kind);
  }
}

async function makeOutput(runDirectory: string) {
  await chmod(runDirectory, 0o755);
  const fifo = join(runDirectory, 'output');
  await promisify(execFile)('mkfifo', ['-m', OUTPUT_FIFO_MODE, fifo]);
  return openFifo(fifo);
}
