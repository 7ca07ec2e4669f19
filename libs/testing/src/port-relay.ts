import { fork } from 'node:child_process';
import { once } from 'node:events';
import { createServer } from 'node:net';
import { fileURLToPath } from 'node:url';

export interface PortRelay {
  stop(): Promise<void>;
}

const WORKER = fileURLToPath(new URL('./port-relay.worker.ts', import.meta.url));

/**
 * Listens on ports of this process's 127.0.0.1 and leads to the same ports of 127.0.0.1 in another network namespace, through a
 * process that lives there and is handed the listening sockets. Needs root.
 */
export async function startPortRelay(namespace: string, ports: readonly number[]): Promise<PortRelay> {
  const worker = fork(WORKER, [], {
    execPath: 'nsenter',
    execArgv: [`--net=${namespace}`, process.execPath],
    env: { PATH: process.env['PATH'] },
  });
  const end = once(worker, 'exit');
  for (const port of ports) {
    const server = createServer();
    server.listen(port, '127.0.0.1');
    await once(server, 'listening');
    await new Promise<void>((resolve, reject) => {
      worker.send(port, server, (error) => (error ? reject(error) : resolve()));
    });
    server.close();
  }
  return {
    stop: async () => {
      worker.kill('SIGKILL');
      await end;
    },
  };
}
