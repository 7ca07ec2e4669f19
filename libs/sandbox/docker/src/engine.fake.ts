import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** What an engine does of its own accord; each may be changed while it runs. */
export interface EngineScript {
  /** So long a question for a container's end lies before the engine takes it, in milliseconds. */
  waitTakenAfterMs: number;
  /** What has started has ended at once, with code 0. */
  endsAtOnce: boolean;
  /** Requests whose path holds this are never answered. */
  silentAbout: string | undefined;
}

/** An engine that runs nothing: one container, as far as the driver asks about it, with the engine's own rules of who is told of its end. */
export class FakeEngine {
  readonly script: EngineScript = { waitTakenAfterMs: 0, endsAtOnce: false, silentAbout: undefined };
  /** Names of images that it was told to remove. */
  readonly removedImages: string[] = [];
  socketPath = '';
  private folder = '';
  private readonly server: Server;
  private state: 'created' | 'running' | 'ended' | 'gone' = 'gone';
  private exitCode = 0;
  /** Questions for the end that were taken and not answered. */
  private readonly watchers = new Set<ServerResponse>();

  constructor() {
    this.server = createServer((request, response) => this.serve(request, response));
  }

  async listen(): Promise<void> {
    this.folder = await mkdtemp(join(tmpdir(), 'openscf-fake-engine-'));
    this.socketPath = join(this.folder, 'docker.sock');
    this.server.listen(this.socketPath);
    await once(this.server, 'listening');
  }

  async close(): Promise<void> {
    this.server.closeAllConnections();
    this.server.close();
    await rm(this.folder, { recursive: true });
  }

  /** The container ends. */
  end(exitCode: number): void {
    this.state = 'ended';
    this.exitCode = exitCode;
    for (const watcher of this.watchers) this.tellEnd(watcher);
    this.watchers.clear();
  }

  /** Cuts the connections of those who wait for the end, as an engine does that starts again. */
  forgetWatchers(): void {
    for (const watcher of this.watchers) watcher.destroy();
    this.watchers.clear();
  }

  get isEmpty(): boolean {
    return this.state === 'gone' && this.watchers.size === 0;
  }

  private serve(request: IncomingMessage, response: ServerResponse): void {
    const { pathname, searchParams } = new URL(request.url ?? '', 'http://engine');
    const { silentAbout, waitTakenAfterMs } = this.script;
    if (silentAbout !== undefined && pathname.includes(silentAbout)) return;
    const action = `${request.method} ${pathname.split('/').at(-1)}`;
    if (request.method === 'DELETE' && pathname.startsWith('/images/')) {
      this.removedImages.push(pathname.slice('/images/'.length));
      response.writeHead(200).end('[]');
    } else if (action === 'POST wait') {
      const take = () => this.watch(response, searchParams.get('condition') ?? 'not-running');
      setTimeout(take, waitTakenAfterMs);
    } else {
      const { status, body } = this.act(action);
      response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body));
    }
  }

  private act(action: string): { status: number; body: object } {
    if (action === 'POST create') {
      this.state = 'created';
      return { status: 201, body: { Id: 'c1' } };
    }
    if (action === 'POST start') {
      this.state = 'running';
      if (this.script.endsAtOnce) this.end(0);
      return { status: 204, body: {} };
    }
    if (action === 'POST kill') {
      if (this.state !== 'running') return { status: 409, body: { message: 'is not running' } };
      this.end(137);
      return { status: 204, body: {} };
    }
    if (action.startsWith('DELETE ')) this.state = 'gone';
    return { status: 200, body: { State: { OOMKilled: false } } };
  }

  private watch(response: ServerResponse, condition: string): void {
    if (this.state === 'gone') {
      response.writeHead(404).end('{"message":"No such container"}');
      return;
    }
    response.writeHead(200, { 'content-type': 'application/json' }).flushHeaders();
    response.on('close', () => this.watchers.delete(response));
    // An end that has been is told only to those who do not ask for the next one.
    if (condition === 'not-running' && this.state === 'ended') this.tellEnd(response);
    else this.watchers.add(response);
  }

  private tellEnd(watcher: ServerResponse): void {
    watcher.end(JSON.stringify({ StatusCode: this.exitCode }));
  }
}
