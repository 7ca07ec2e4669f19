import { randomInt } from 'node:crypto';
import { createServer } from 'node:net';
import { LaunchError } from './launch.errors.ts';
import { PORTS, type PortName, type Ports } from './settings.ts';

/**
 * Free ports are chosen below the range from which the system takes the ports of outgoing connections (from 32768 on
 * Linux), so that none is lost between the choice and its use, or while a crashed part is away.
 */
const LOWEST = 15_000;
const HIGHEST = 32_000;

/** A loopback port that nobody listens on now. */
export async function freePort(): Promise<number> {
  const [port] = await freePorts(1);
  return port as number;
}

/** Different free loopback ports. */
export async function freePorts(count: number): Promise<number[]> {
  const found = new Set<number>();
  while (found.size < count) {
    const port = randomInt(LOWEST, HIGHEST);
    if (await isFree(port)) found.add(port);
  }
  return [...found];
}

/** A set of free ports for everything that listens. */
export async function freePortSet(): Promise<Ports> {
  const names = Object.keys(PORTS) as PortName[];
  const ports = await freePorts(names.length);
  return Object.fromEntries(names.map((name, index) => [name, ports[index]])) as Ports;
}

/** Throws one sentence for the first port that is taken, or wanted twice. */
export async function checkPorts(ports: Ports): Promise<void> {
  const owners = new Map<number, PortName>();
  for (const [name, port] of Object.entries(ports) as [PortName, number][]) {
    const other = owners.get(port);
    if (other !== undefined)
      throw new LaunchError(
        `Port ${port} is given to both ${other} and ${name}: change ${PORTS[other].variable} or ${PORTS[name].variable}.`,
      );
    owners.set(port, name);
    try {
      const server = await listen(port);
      await new Promise((resolve) => server.close(resolve));
    } catch (error) {
      const { code, message } = error as NodeJS.ErrnoException;
      const why = code === 'EADDRINUSE' ? 'is taken by another program' : `cannot be used (${message})`;
      throw new LaunchError(
        `Port ${port} for ${name} ${why}: free it, or set ${PORTS[name].variable} to another port.`,
      );
    }
  }
}

async function isFree(port: number): Promise<boolean> {
  try {
    const server = await listen(port);
    await new Promise((resolve) => server.close(resolve));
    return true;
  } catch {
    return false;
  }
}

function listen(port: number): Promise<ReturnType<typeof createServer>> {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.once('error', reject);
    server.listen({ host: '127.0.0.1', port }, () => resolve(server));
  });
}
