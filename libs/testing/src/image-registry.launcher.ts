import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import type { Blob, BuiltImage } from './image.factory.js';

/** A real registry (Debian's docker-registry) of its own storage, on a free port of loopback. */
export interface ImageRegistryPart {
  /** `127.0.0.1:port`, the domain of its images. */
  readonly address: string;
  /** Stores an image under a tag. @returns its digest */
  push(repository: string, tag: string, image: BuiltImage): Promise<string>;
  /** Stores any manifest; what it names must be there. */
  pushManifest(repository: string, tag: string, manifest: Blob): Promise<string>;
  /** Stores bytes; with `bytes` of another blob they are not what the digest says, which registries refuse. */
  pushBlob(repository: string, blob: Blob): Promise<void>;
  /** Docker's config.json with credentials for it. */
  authFile(user?: string, password?: string): Promise<string>;
  /** Folder of its storage. */
  readonly storage: string;
  stop(): Promise<void>;
}

/** The one user of a registry that was launched with `auth`. */
export const REGISTRY_USER = 'ada';
export const REGISTRY_PASSWORD = 'open sesame';
/** bcrypt, the one form that the registry reads. */
const HTPASSWD = `${REGISTRY_USER}:$2b$04$MhKQeDc0knH87SjB7N8v/eCGSYRDURPcNQ2ftW7LgUxJ/h.Q/EJJ2\n`;

export async function launchImageRegistry({ auth = false } = {}): Promise<ImageRegistryPart> {
  const folder = await mkdtemp(join(tmpdir(), 'openscf-registry-'));
  const storage = join(folder, 'storage');
  const settings = {
    version: 0.1,
    storage: { filesystem: { rootdirectory: storage } },
    http: { addr: '127.0.0.1:0' },
    log: { level: 'info', formatter: 'json', accesslog: { disabled: true } },
    ...(auth && { auth: { htpasswd: { realm: 'test', path: join(folder, 'htpasswd') } } }),
  };
  // YAML reads JSON.
  await writeFile(join(folder, 'config.yml'), JSON.stringify(settings));
  await writeFile(join(folder, 'htpasswd'), HTPASSWD);
  const server = spawn('docker-registry', ['serve', join(folder, 'config.yml')], {
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  try {
    const address = await listening(server);
    return { ...client(address, auth), storage, authFile, stop };

    async function authFile(user = REGISTRY_USER, password = REGISTRY_PASSWORD): Promise<string> {
      const path = join(folder, `auth-${user}.json`);
      const basic = Buffer.from(`${user}:${password}`).toString('base64');
      await writeFile(path, JSON.stringify({ auths: { [address]: { auth: basic } } }));
      return path;
    }
  } catch (error) {
    await stop();
    throw error;
  }

  async function stop(): Promise<void> {
    if (server.pid !== undefined && server.exitCode === null) {
      server.kill('SIGKILL');
      await once(server, 'exit');
    }
    await rm(folder, { recursive: true, force: true });
  }
}

/** Resolves with the address that it says it listens on. */
function listening(server: ChildProcess): Promise<string> {
  return new Promise((resolve, reject) => {
    server.on('error', (error) =>
      reject(
        new Error('docker-registry cannot be run: apt-get install -y docker-registry', { cause: error }),
      ),
    );
    server.on('exit', (code) => reject(new Error(`docker-registry ended with ${code}`)));
    if (server.stderr === null) return;
    // Read to its end: a full pipe would stop the server.
    createInterface(server.stderr).on('line', (line) => {
      const address = /listening on (127\.0\.0\.1:\d+)/.exec(line)?.[1];
      if (address !== undefined) resolve(address);
    });
  });
}

/** The few requests of the distribution API that storing an image takes. */
function client(
  address: string,
  auth: boolean,
): Pick<ImageRegistryPart, 'address' | 'push' | 'pushManifest' | 'pushBlob'> {
  const basic = Buffer.from(`${REGISTRY_USER}:${REGISTRY_PASSWORD}`).toString('base64');
  const call = async (method: string, url: string, type?: string, body?: Buffer): Promise<Response> => {
    const answer = await fetch(new URL(url, `http://${address}`), {
      method,
      headers: { ...(auth && { authorization: `Basic ${basic}` }), ...(type && { 'content-type': type }) },
      ...(body && { body: new Uint8Array(body) }),
    });
    const text = await answer.text();
    if (!answer.ok) throw new Error(`${method} ${url}: ${answer.status} ${text}`);
    return answer;
  };
  const pushBlob = async (repository: string, { digest, bytes }: Blob): Promise<void> => {
    const { headers } = await call('POST', `/v2/${repository}/blobs/uploads/`);
    const place = new URL(headers.get('location') ?? '', `http://${address}`);
    place.searchParams.set('digest', digest);
    await call('PUT', place.href, 'application/octet-stream', bytes);
  };
  const pushManifest = async (repository: string, tag: string, manifest: Blob): Promise<string> => {
    await call('PUT', `/v2/${repository}/manifests/${tag}`, manifest.mediaType, manifest.bytes);
    return manifest.digest;
  };
  const push = async (repository: string, tag: string, image: BuiltImage): Promise<string> => {
    for (const blob of [image.config, ...image.layers]) await pushBlob(repository, blob);
    return pushManifest(repository, tag, image.manifest);
  };
  return { address, push, pushManifest, pushBlob };
}
