import { createServer, type IncomingMessage } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { PartName, Running, ServiceName } from '@openscf/infra-local';

/** The supervisor lives in the process that set the platform up; the specs run in others and ask for what they need here. */
export interface Control {
  url: string;
  stop(): Promise<void>;
}

export type ProcessName = PartName | ServiceName;

export interface ProcessStatus {
  pid: number | null;
  healthy: boolean;
  restarts: number;
}

/** `GET /<name>` tells how a process is; `POST /<name>?signal=SIGKILL` sends it a signal. */
export async function startControl(running: Running): Promise<Control> {
  const server = createServer((request, response) => {
    try {
      response.end(JSON.stringify(answer(running, request)));
    } catch (error) {
      response.writeHead(500).end(String(error));
    }
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  return {
    url: `http://127.0.0.1:${port}`,
    stop: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

function answer(running: Running, request: IncomingMessage): ProcessStatus {
  const url = new URL(request.url ?? '/', 'http://control');
  const name = url.pathname.slice(1) as ProcessName;
  if (request.method === 'POST') {
    running.kill(name, (url.searchParams.get('signal') ?? 'SIGKILL') as NodeJS.Signals);
  }
  return {
    pid: running.pid(name) ?? null,
    healthy: running.isHealthy(name),
    restarts: running.restarts(name),
  };
}
