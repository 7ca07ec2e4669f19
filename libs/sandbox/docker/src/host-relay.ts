/**
 * The host's half of the relays, a process of its own so that what instances store never crosses the invoker's event loop:
 * it listens on unix sockets that the relay container sees, and connects to services of the host.
 *
 *   node host-relay.js <JSON: {path, target: {host, port}}[]>
 *
 * It ends when its standard input ends, that is: with its owner.
 */
import { chmodSync } from 'node:fs';
import { connect, createServer, type Socket } from 'node:net';

interface Forward {
  path: string;
  target: { host: string; port: number };
}

function forward(socket: Socket, target: Forward['target']): void {
  const upstream = connect(target.port, target.host);
  const end = () => {
    socket.destroy();
    upstream.destroy();
  };
  socket.on('error', end).on('close', end);
  upstream.setNoDelay(true).on('error', end).on('close', end);
  socket.pipe(upstream).pipe(socket);
}

const forwards = JSON.parse(process.argv[2] ?? '[]') as Forward[];
let waiting = forwards.length;
for (const { path, target } of forwards) {
  createServer((socket) => forward(socket, target)).listen(path, () => {
    chmodSync(path, 0o666);
    waiting -= 1;
    if (waiting === 0) process.stdout.write('ready\n');
  });
}
process.stdin.on('end', () => process.exit()).resume();
