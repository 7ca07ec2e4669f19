import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { networkInterfaces } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { SandboxError, type SandboxRelay } from '@openscf/sandbox-api';
import { NETWORK_NAMESPACES, type DriverPaths } from './driver-paths.js';
import { HOST_ENV, ipBatch } from './host-command.js';
import type { Host } from './host.types.js';

/**
 * The network of all instances of one owner (198.18.0.0/16: set aside for tests of network devices, so that it hides no
 * network that functions want to reach). Nothing is put into the host's own network namespace.
 *
 *   router namespace:  bridge br0 198.18.0.1 ── isolated ports v<n> ──── eth0 of each instance 198.18.1.0 and up
 *                        └─ tap0: slirp4netns (gateway 198.18.0.2, DNS 198.18.0.3) ── public network, as the host's user
 *                        └─ relays listen on 198.18.0.1
 *
 * Isolated ports exchange frames with the bridge and with tap0, never with each other.
 */
export const BRIDGE_ADDRESS = '198.18.0.1';
const GATEWAY_ADDRESS = '198.18.0.2';
const SUBNET = '198.18.0.0/16';

/** Between two tries to start a helper that failed. */
const HEAL_AFTER_MS = 1000;

/** Addresses below 198.18.1.0 belong to the router. */
const FIRST_INSTANCE = 256;

/** Link-local: where clouds answer with the credentials of the host. */
const METADATA_SERVICES = '169.254.0.0/16';

export function instanceAddress(slot: number): string {
  const offset = FIRST_INSTANCE + slot;
  return `198.18.${offset >> 8}.${offset & 255}`;
}

/** slirp4netns connects as the host does, so the host's own addresses are cut off in every instance's namespace. */
function hostAddresses(): string[] {
  const addresses = Object.values(networkInterfaces()).flatMap((entries) => entries ?? []);
  const reachable = addresses.filter(({ family, internal }) => family === 'IPv4' && !internal);
  return reachable.map(({ address }) => `${address}/32`);
}

export class RouterNetwork {
  private helpers: ChildProcess[] = [];
  private closed = false;

  constructor(
    private readonly host: Host,
    private readonly paths: DriverPaths,
    private readonly relays: readonly SandboxRelay[],
    readonly publicEgress: boolean,
  ) {}

  async open(): Promise<void> {
    await ipBatch(this.host, [`netns add ${this.paths.router}`]);
    await ipBatch(
      this.host,
      [
        'link set lo up',
        'link add br0 type bridge stp_state 0 forward_delay 0',
        `addr add ${BRIDGE_ADDRESS}/16 dev br0`,
        'link set br0 up',
      ],
      this.paths.router,
    );
    if (this.publicEgress) await this.startEgress();
    if (this.relays.length > 0) await this.startRelay();
  }

  async close(): Promise<void> {
    this.closed = true;
    await Promise.all(
      this.helpers.map(async (helper) => {
        const ended = helper.exitCode !== null || helper.signalCode !== null;
        if (ended) return;
        helper.kill('SIGKILL');
        await once(helper, 'exit');
      }),
    );
    await ipBatch(this.host, [`netns del ${this.paths.router}`]).catch(() => undefined);
  }

  /** Makes the namespaces of these slots, each wired to the bridge. */
  async addInstances(slots: readonly number[], egress: boolean): Promise<void> {
    const name = (slot: number) => this.paths.networkNamespace(slot);
    await ipBatch(
      this.host,
      slots.map((slot) => `netns add ${name(slot)}`),
    );
    await ipBatch(
      this.host,
      slots.flatMap((slot) => [
        `link add v${slot} type veth peer name eth0 netns ${name(slot)}`,
        `link set v${slot} master br0`,
        `link set dev v${slot} type bridge_slave isolated on`,
        `link set dev v${slot} addrgenmode none`,
        `link set v${slot} up`,
      ]),
      this.paths.router,
    );
    for (const slot of slots)
      await ipBatch(this.host, instanceCommands(slot, egress && this.publicEgress), name(slot));
  }

  async removeInstances(slots: readonly number[]): Promise<void> {
    if (slots.length === 0) return;
    await ipBatch(
      this.host,
      slots.map((slot) => `netns del ${this.paths.networkNamespace(slot)}`),
    );
  }

  private async startEgress(): Promise<void> {
    // A mount namespace of its own: where /run is no mount point, slirp4netns's sandbox would otherwise unmount the network
    // namespaces of the whole host (it leaves shared mounts below / shared).
    const args = [
      '--mount',
      '--propagation=slave',
      'slirp4netns',
      '--netns-type=path',
      `--cidr=${SUBNET}`,
      '--disable-host-loopback',
      '--enable-sandbox',
      '--enable-seccomp',
      '--ready-fd=3',
      '--exit-fd=4',
      join(NETWORK_NAMESPACES, this.paths.router),
      'tap0',
    ];
    const slirp = spawn('unshare', args, {
      env: HOST_ENV,
      stdio: ['ignore', 'ignore', 'pipe', 'pipe', 'pipe'],
    });
    await this.waitForHelper(slirp, 'slirp4netns', 3, () => this.startEgress());
    await ipBatch(this.host, ['link set tap0 master br0', 'link set tap0 up'], this.paths.router);
  }

  private async startRelay(): Promise<void> {
    const forwards = this.relays.map(({ port, target }) => ({
      listen: { host: BRIDGE_ADDRESS, port },
      target,
    }));
    const extension = import.meta.url.endsWith('.ts') ? 'ts' : 'js';
    const program = fileURLToPath(new URL(`./relay.${extension}`, import.meta.url));
    const namespace = join(NETWORK_NAMESPACES, this.paths.router);
    const args = [program, 'serve', this.paths.state, namespace, JSON.stringify(forwards)];
    const relay = spawn(process.execPath, args, { env: HOST_ENV, stdio: ['pipe', 'pipe', 'pipe'] });
    await this.waitForHelper(relay, 'The relay', 1, () => this.startRelay());
  }

  /** Resolves when the helper says something on `readyDescriptor`; a helper that ends later is started again. */
  private async waitForHelper(
    helper: ChildProcess,
    name: string,
    readyDescriptor: number,
    restart: () => Promise<void>,
  ): Promise<void> {
    let printed = '';
    helper.stderr
      ?.setEncoding('utf8')
      .on('data', (text: string) => (printed = (printed + text).slice(-2000)));
    const ready = new Promise<void>((resolve, reject) => {
      helper.on('error', reject);
      helper.stdio[readyDescriptor]?.once('data', () => resolve());
      helper.on('exit', (code, signal) => {
        const message = `${name} ended with ${code ?? signal}: ${printed.trim()}`;
        reject(new SandboxError('host-not-ready', message));
      });
    });
    this.helpers.push(helper);
    await ready;
    helper.once('exit', () => {
      this.helpers = this.helpers.filter((other) => other !== helper);
      void this.heal(restart);
    });
  }

  /** Starts a helper again until it runs or the network is closed. */
  private async heal(restart: () => Promise<void>): Promise<void> {
    while (!this.closed) {
      const healed = await restart().then(
        () => true,
        () => false,
      );
      if (healed) return;
      await delay(HEAL_AFTER_MS, undefined, { ref: false });
    }
  }
}

function instanceCommands(slot: number, egress: boolean): string[] {
  const own = [
    'link set lo up',
    // No IPv6: nothing here routes it, and an address would only delay programs that try it first.
    'link set dev eth0 addrgenmode none',
    `addr add ${instanceAddress(slot)}/16 dev eth0`,
    'link set eth0 up',
  ];
  if (!egress) return own;
  const blocked = [METADATA_SERVICES, ...hostAddresses()];
  return [
    ...own,
    `route add default via ${GATEWAY_ADDRESS}`,
    ...blocked.map((range) => `route add unreachable ${range}`),
  ];
}
