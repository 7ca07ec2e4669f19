import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { SandboxError, type SandboxRelay } from '@openscf/sandbox-api';
import type Docker from 'dockerode';
import type { DriverNames } from './driver.names.js';

/** Where the relay container sees the sockets of the host's half. */
const SOCKETS = '/tmp';

/** It only opens its sockets. */
const READY_MS = 30_000;

/**
 * Runs in the relay container with the Python of the root file system: it listens on every network that it is connected to
 * and forwards to the unix sockets. It does not route: what is no relay port ends here.
 */
const PROGRAM = `
import asyncio, sys
async def pump(reader, writer):
    try:
        while data := await reader.read(65536):
            writer.write(data)
            await writer.drain()
    except OSError:
        pass
    finally:
        writer.close()
def serve(path):
    async def accept(reader, writer):
        try:
            up_reader, up_writer = await asyncio.open_unix_connection(path)
        except OSError:
            return writer.close()
        await asyncio.gather(pump(reader, up_writer), pump(up_reader, writer))
    return accept
async def main():
    servers = [await asyncio.start_server(serve("${SOCKETS}/" + port), "0.0.0.0", int(port)) for port in sys.argv[1:]]
    await asyncio.gather(*(server.serve_forever() for server in servers))
asyncio.run(main())
`;

/** One container per owner that is in the network of every instance, and leads to the host through unix sockets only. */
export class RelayContainer {
  private container: Docker.Container | undefined;
  private hostHalf: ChildProcess | undefined;

  constructor(
    private readonly docker: Docker,
    private readonly names: DriverNames,
    private readonly relays: readonly SandboxRelay[],
    private readonly stateDirectory: string,
  ) {}

  async start(image: string): Promise<void> {
    const sockets = join(this.stateDirectory, 'relays');
    await mkdir(sockets, { recursive: true, mode: 0o711 });
    await this.startHostHalf(sockets);
    this.container = await this.docker.createContainer({
      name: this.names.relay,
      Image: image,
      Labels: this.names.labels,
      User: '65534:65534',
      Entrypoint: ['/usr/bin/python3.11', '-I', '-c', PROGRAM],
      Cmd: this.relays.map(({ port }) => String(port)),
      HostConfig: {
        NetworkMode: 'none',
        ReadonlyRootfs: true,
        CapDrop: ['ALL'],
        SecurityOpt: ['no-new-privileges'],
        Mounts: [{ Type: 'bind', Source: sockets, Target: SOCKETS, ReadOnly: true }],
        LogConfig: { Type: 'none', Config: {} },
        RestartPolicy: { Name: 'unless-stopped' },
        Sysctls: { 'net.ipv4.ip_forward': '0' },
      },
    });
    await this.container.start();
    await this.docker.getNetwork('none').disconnect({ Container: this.container.id, Force: true });
  }

  /** Joins a network under an address that is then the relays' in it. */
  async join(network: Docker.Network, address: string): Promise<void> {
    const EndpointConfig = { IPAMConfig: { IPv4Address: address } };
    await network.connect({ Container: this.names.relay, EndpointConfig });
  }

  async stop(): Promise<void> {
    this.hostHalf?.kill('SIGKILL');
    await this.container?.remove({ force: true, v: true });
  }

  private async startHostHalf(sockets: string): Promise<void> {
    const forwards = this.relays.map(({ port, target }) => ({ path: join(sockets, String(port)), target }));
    const extension = import.meta.url.endsWith('.ts') ? 'ts' : 'js';
    const program = fileURLToPath(new URL(`./host-relay.${extension}`, import.meta.url));
    const child = spawn(process.execPath, [program, JSON.stringify(forwards)], {
      env: {},
      stdio: ['pipe', 'pipe', 'inherit'],
    });
    this.hostHalf = child;
    const ended = once(child, 'exit').then(([code]) => {
      throw new SandboxError('host-not-ready', `The relay ended with ${code}`);
    });
    ended.catch(() => undefined);
    const ready = once(child.stdout, 'data', { signal: AbortSignal.timeout(READY_MS) }).catch(() => {
      throw new SandboxError('host-not-ready', `The relay was not ready within ${READY_MS} ms`);
    });
    await Promise.race([ready, ended]);
  }
}
