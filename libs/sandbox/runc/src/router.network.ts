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
 *   router namespace:  bridge br0 198.18.0.1 ── isolated ports v<n> ──── eth0 of each instance with egress, 198.18.1.0 and up
 *                        └─ tap0: slirp4netns (gateway 198.18.0.2, DNS 198.18.0.3) ── public network, as the host's user
 *                      bridge br1 198.19.0.1 ── isolated ports v<n> ──── eth0 of each instance without, 198.19.1.0 and up
 *                      relays listen on both addresses
 *
 * Isolated ports exchange frames with the bridge and with tap0, never with each other. Instances without egress are not
 * even connected to what leads out: a socket bound to a device asks no route, and DNS alone can carry data away.
 */
interface Bridge {
  name: string;
  address: string;
  subnet: string;
  /** Of an instance: `prefix`.a.b. */
  prefix: string;
}
export const BRIDGES: Record<'egress' | 'relays', Bridge> = {
  egress: { name: 'br0', address: '198.18.0.1', subnet: '198.18.0.0/16', prefix: '198.18' },
  relays: { name: 'br1', address: '198.19.0.1', subnet: '198.19.0.0/16', prefix: '198.19' },
};
const GATEWAY_ADDRESS = '198.18.0.2';

/** Between two tries to start a helper that failed. */
const HEAL_AFTER_MS = 1000;

/** Addresses below 198.18.1.0 belong to the router. */
const FIRST_INSTANCE = 256;

/**
 * What is not public: link-local, where clouds answer with the credentials of the host; the private networks that the
 * platform's own parts are in; and loopback, which slirp4netns takes for the host's own when a socket that is bound to the
 * device sends there.
 */
const HIDDEN_NETWORKS = [
  '0.0.0.0/8',
  '127.0.0.0/8',
  '224.0.0.0/4',
  '240.0.0.0/4',
  '169.254.0.0/16',
  '10.0.0.0/8',
  '172.16.0.0/12',
  '192.168.0.0/16',
  '100.64.0.0/10',
  BRIDGES.relays.subnet,
];

export function instanceAddress(slot: number, kind: 'egress' | 'relays'): string {
  const offset = FIRST_INSTANCE + slot;
  return `${BRIDGES[kind].prefix}.${offset >> 8}.${offset & 255}`;
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
    private readonly privateNetworks: readonly string[] = [],
  ) {}

  async open(): Promise<void> {
    await ipBatch(this.host, [`netns add ${this.paths.router}`]);
    await ipBatch(
      this.host,
      [
        'link set lo up',
        ...Object.values(BRIDGES).flatMap(({ name, address }) => [
          `link add ${name} type bridge stp_state 0 forward_delay 0`,
          `addr add ${address}/16 dev ${name}`,
          `link set ${name} up`,
        ]),
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
  async addInstances(slots: readonly number[], kind: 'egress' | 'relays'): Promise<void> {
    const name = (slot: number) => this.paths.networkNamespace(slot);
    await ipBatch(
      this.host,
      slots.map((slot) => `netns add ${name(slot)}`),
    );
    await ipBatch(
      this.host,
      slots.flatMap((slot) => [
        `link add v${slot} type veth peer name eth0 netns ${name(slot)}`,
        `link set v${slot} master ${BRIDGES[kind].name}`,
        `link set dev v${slot} type bridge_slave isolated on`,
        `link set dev v${slot} addrgenmode none`,
        `link set v${slot} up`,
      ]),
      this.paths.router,
    );
    const routes = kind === 'egress' && this.publicEgress ? egressRoutes(this.privateNetworks) : [];
    for (const slot of slots)
      await ipBatch(this.host, [...instanceCommands(slot, kind), ...routes], name(slot));
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
      `--cidr=${BRIDGES.egress.subnet}`,
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
    const forwards = this.relays.flatMap(({ port, target }) =>
      Object.values(BRIDGES).map(({ address }) => ({ listen: { host: address, port }, target })),
    );
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

function instanceCommands(slot: number, kind: 'egress' | 'relays'): string[] {
  return [
    'link set lo up',
    // No IPv6: nothing here routes it, and an address would only delay programs that try it first.
    'link set dev eth0 addrgenmode none',
    `addr add ${instanceAddress(slot, kind)}/16 dev eth0`,
    'link set eth0 up',
  ];
}

/** The most special route wins, so a part of a hidden network can be reachable, and the host's addresses never are. */
function egressRoutes(privateNetworks: readonly string[]): string[] {
  return [
    `route add default via ${GATEWAY_ADDRESS}`,
    ...HIDDEN_NETWORKS.map((range) => `route replace unreachable ${range}`),
    ...privateNetworks.map((range) => `route replace ${range} via ${GATEWAY_ADDRESS}`),
    ...hostAddresses().map((address) => `route replace unreachable ${address}`),
  ];
}
