/**
 * A process of its own, so that what instances store never crosses the invoker's event loop. It forwards connections from
 * the bridge in the router's network namespace to services of the host.
 *
 *   node relay.js serve <state directory> <router namespace> <JSON: {listen: {host, port}, target: {host, port}}[]>
 *
 * A listening socket belongs to the network namespace it was made in, wherever its descriptor goes. So `serve`, which stays
 * in the host's namespace to reach the targets, starts this same file as `listen` inside the router's namespace, gets the
 * listening sockets from it, and accepts on them. It ends when its standard input ends, that is: with its owner.
 */
import { spawn } from 'node:child_process';
import { connect, createServer, type Server, type Socket } from 'node:net';
import { fileURLToPath } from 'node:url';

interface Forward {
  listen: { host: string; port: number };
  target: { host: string; port: number };
}

function forward(socket: Socket, target: Forward['target']): void {
  const upstream = connect(target.port, target.host);
  const end = () => {
    socket.destroy();
    upstream.destroy();
  };
  socket.setNoDelay(true).on('error', end).on('close', end);
  upstream.setNoDelay(true).on('error', end).on('close', end);
  socket.pipe(upstream).pipe(socket);
}

function listenInRouter(forwards: Forward[]): void {
  for (const [index, { listen }] of forwards.entries()) {
    const server = createServer({ pauseOnConnect: true });
    server.on('error', (error) => process.send?.({ error: error.message }));
    server.listen(listen.port, listen.host, () => process.send?.({ index }, server));
  }
  process.on('disconnect', () => process.exit());
}

function serve(namespace: string, forwards: Forward[]): void {
  const self = fileURLToPath(import.meta.url);
  const args = [`--net=${namespace}`, process.execPath, self, 'listen', JSON.stringify(forwards)];
  const listener = spawn('nsenter', args, { stdio: ['ignore', 'ignore', 'inherit', 'ipc'] });
  let waiting = forwards.length;
  listener.on('message', (message: { index?: number; error?: string }, server: unknown) => {
    const entry = message.index === undefined ? undefined : forwards[message.index];
    if (!entry) throw new Error(`The relay cannot listen: ${message.error}`);
    (server as Server).on('connection', (socket) => forward(socket, entry.target));
    waiting -= 1;
    if (waiting > 0) return;
    listener.disconnect();
    process.stdout.write('ready\n');
  });
  process.stdin.on('end', () => process.exit()).resume();
}

const [mode, ...rest] = process.argv.slice(2);
if (mode === 'listen') listenInRouter(JSON.parse(rest[0] ?? '[]') as Forward[]);
if (mode === 'serve') serve(rest[1] ?? '', JSON.parse(rest[2] ?? '[]') as Forward[]);
