import { connect } from 'node:net';
import { UnavailableError } from '@openscf/contracts';

const CONNECT_MS = 2_000;

/**
 * Looks whether one of the brokers (`host:port`) takes connections. A look costs next to nothing, where a client that fails to connect
 * is a second late when the broker comes. @throws UnavailableError
 */
export async function assertListening(brokers: readonly string[]): Promise<void> {
  if (!(await Promise.all(brokers.map(listens))).some(Boolean))
    throw new UnavailableError(`Kafka is not available: nobody listens at ${brokers.join(', ')}`);
}

function listens(broker: string): Promise<boolean> {
  const { hostname, port } = new URL(`kafka://${broker}`);
  return new Promise((resolve) => {
    const socket = connect({
      host: hostname.replace(/^\[|\]$/g, ''),
      port: Number(port),
      timeout: CONNECT_MS,
    });
    const end = (answer: boolean) => () => {
      socket.destroy();
      resolve(answer);
    };
    socket.on('connect', end(true)).on('timeout', end(false)).on('error', end(false));
  });
}
