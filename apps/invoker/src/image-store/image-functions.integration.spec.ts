import { execFile } from 'node:child_process';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { homedir, tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { functionKey, type FunctionState, type ImageCode, type WebResponse } from '@openscf/contracts';
import type { DispatchResult } from '@openscf/dispatch';
import { ImageRegistry } from '@openscf/oci';
import { anImage, launchImageRegistry, type BuiltImage, type ImageRegistryPart } from '@openscf/testing';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { RuntimeCatalog } from '../instance/runtime-catalog.js';
import { createSandboxDriver } from '../instance/sandbox-driver.factory.js';
import { InvokerFake } from '../invoker.fake.js';
import { CUSTOM_IMAGE } from './image-availability.policy.js';
import { ImageStore } from './image-store.js';

const run = promisify(execFile);
const cache = process.env['OPENSCF_CACHE'] ?? join(homedir(), '.cache/openscf');
const OWNER = `images-spec-${process.pid}`;

/** Answers every request with what it sees; with the argument `job` it prints the event and ends. */
const PROGRAM = `package main

import ("encoding/json"; "fmt"; "io"; "net/http"; "os")

func main() {
	if len(os.Args) > 1 && os.Args[1] == "job" {
		fmt.Println("event", os.Getenv("SCF_CUSTOM_CONTAINER_EVENT"))
		if len(os.Args) > 2 { os.Exit(3) }
		return
	}
	folder, _ := os.Getwd()
	_, rootErr := os.Create("/created")
	_, tmpErr := os.Create("/tmp/created")
	http.HandleFunc("/", func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		fmt.Println("asked for", r.URL.Path)
		json.NewEncoder(w).Encode(map[string]interface{}{
			"method": r.Method, "path": r.URL.Path, "body": string(body), "args": os.Args[1:], "folder": folder,
			"image": os.Getenv("IMAGE"), "both": os.Getenv("BOTH"), "name": os.Getenv("SCF_FUNCTIONNAME"), "uid": os.Getuid(),
			"request": r.Header.Get("X-Scf-Request-Id"), "rootIsReadOnly": rootErr != nil, "tmpIsWritable": tmpErr == nil,
		})
	})
	port := "9000"
	if len(os.Args) > 1 { port = os.Args[1] }
	http.ListenAndServe(":" + port, nil)
}
`;
const NODE_SERVER = `require('http').createServer((request, response) => {
  let event = '';
  request.on('data', (chunk) => (event += chunk)).on('end', () => {
    console.log('got', request.method, request.url);
    response.end(JSON.stringify({ event: JSON.parse(event), url: request.url, name: request.headers['x-scf-name'], cwd: process.cwd() }));
  });
}).listen(9000);`;

/** Image functions on the real driver, with images that a real registry gives. */
describe('image functions', () => {
  let registry: ImageRegistryPart;
  let invoker: InvokerFake;
  let images: ImageStore;
  let folder: string;
  let program: Buffer;

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'openscf-image-functions-'));
    await writeFile(join(folder, 'main.go'), PROGRAM);
    const binary = join(folder, 'program');
    await run('go', ['build', '-o', binary, join(folder, 'main.go')], {
      env: { ...process.env, CGO_ENABLED: '0' },
    });
    program = await readFile(binary);
    registry = await launchImageRegistry();
    const catalog = await RuntimeCatalog.load(join(cache, 'runtimes/runtimes.json'));
    images = new ImageStore({
      root: join(folder, 'images'),
      maxBytes: 4e9,
      registry: new ImageRegistry(),
      missing: undefined,
      pullTimeoutMs: 60_000,
      resolvConf: () => readFile(join(catalog.host.rootfs, 'etc/resolv.conf'), 'utf8'),
      forgetRoot: () => Promise.resolve(),
      log: () => undefined,
    });
    await images.open();
    const driver = await createSandboxDriver('runc', {
      owner: OWNER,
      relays: [],
      publicEgress: false,
      readyNetworks: 2,
    });
    invoker = await InvokerFake.start(driver, [], { memoryMb: 2048 }, { images }, catalog.host);
  });
  afterAll(async () => {
    await invoker?.stop();
    await registry?.stop();
    await rm(folder, { recursive: true, force: true });
  });

  async function codeOf(
    name: string,
    image: BuiltImage,
    change: Partial<ImageCode> = {},
  ): Promise<ImageCode> {
    const digest = await registry.push(name, '1', image);
    const imageUri = `${registry.address}/${name}:1`;
    return { kind: 'image', imageUri, digest, sizeBytes: 1, command: [], args: [], port: 9000, ...change };
  }

  function deploy(
    name: string,
    code: ImageCode,
    change: Partial<FunctionState> = {},
  ): Promise<FunctionState> {
    return invoker.deploy(name, {}, { runtime: CUSTOM_IMAGE, handler: '', code, ...change });
  }

  function scratch(more: Omit<Parameters<typeof anImage>[0], 'layers'> = {}): BuiltImage {
    return anImage({
      layers: [[{ name: 'program', content: program, mode: 0o755 }]],
      entrypoint: ['/program'],
      ...more,
    });
  }

  interface WebAnswer {
    readonly result: DispatchResult;
    readonly response: WebResponse | undefined;
    readonly body: string;
  }

  function request(state: FunctionState, target: string, body = ''): Promise<WebAnswer> {
    return new Promise((resolve) => {
      let response: WebResponse | undefined;
      const pieces: Buffer[] = [];
      const sent = invoker.dispatcher.request(
        {
          requestId: `web-${target}`,
          functionKey: functionKey(state),
          revision: state.revision,
          invocationType: 'RequestResponse',
          retryNum: 0,
          source: 'http',
          qualifier: '$LATEST',
          logTail: false,
          web: {
            method: 'POST',
            target,
            headers: [
              ['host', 'site.test'],
              ['content-length', String(body.length)],
            ],
          },
        },
        { timeoutMs: 30_000 },
        {
          onResponse: (head) => (response = head),
          onData: (piece) => {
            pieces.push(Buffer.from(piece));
            sent.consumed(piece.length);
          },
          onEnd: () => undefined,
          onWritable: () => undefined,
          onOutcome: (result) => resolve({ result, response, body: Buffer.concat(pieces).toString() }),
        },
      );
      sent.send(Buffer.from(body));
      sent.end();
    });
  }

  it('answers web requests with a program that is alone in its image', async () => {
    const image = scratch({
      cmd: ['from', 'cmd'],
      env: ['IMAGE=own', 'BOTH=image'],
      workingDir: '/work/here',
      user: '4711:4711',
    });
    const code = await codeOf('web', image, { args: ['9000', 'args'] });
    const state = await deploy('web', code, { type: 'HTTP', environment: { BOTH: 'function' } });
    const cold = await request(state, '/some/path', 'a body');
    expect(cold.result.outcome).toMatchObject({
      kind: 'succeeded',
      coldStart: { reason: 'first', pooled: false },
    });
    expect(cold.response?.status).toBe(200);
    expect(JSON.parse(cold.body)).toEqual({
      method: 'POST',
      path: '/some/path',
      body: 'a body',
      args: ['9000', 'args'],
      folder: '/work/here',
      image: 'own',
      both: 'function',
      name: 'web',
      uid: 1000,
      request: 'web-/some/path',
      rootIsReadOnly: true,
      tmpIsWritable: true,
    });
    const warm = await request(state, '/again');
    expect(warm.result.outcome).not.toHaveProperty('coldStart');
    // The pull is a part of the first cold start, and of no later one.
    const pulled = coldStartOf(cold.result);
    const next = await request(await deploy('web', code, { type: 'HTTP' }), '/third');
    expect(next.result.outcome).toMatchObject({ kind: 'succeeded' });
    expect(pulled.pullCodeMs).toBeGreaterThan(20);
    expect(coldStartOf(next.result).pullCodeMs).toBeLessThan(20);
  });

  it(
    'gives events to POST /event-invoke, in an image with a system and a shell',
    { timeout: 180_000 },
    async () => {
      const catalog = await RuntimeCatalog.load(join(cache, 'runtimes/runtimes.json'));
      const node = catalog.get('Nodejs20.19');
      const languages = node?.mounts.find(({ target }) => target === '/var/lang')?.source ?? '';
      const tar = async (source: string, ...args: string[]): Promise<Buffer> => {
        const file = join(folder, 'layer.tar');
        await run('tar', ['-C', source, '-cf', file, ...args]);
        return readFile(file);
      };
      const image = anImage({
        layers: [
          await tar(
            catalog.host.rootfs,
            '--exclude=python3*',
            '--exclude=./usr/share',
            '--exclude=gconv',
            '.',
          ),
          await tar(languages, '--transform=s,^,opt/,', 'node20/bin/node'),
          [
            { name: 'app/', type: 'directory' },
            { name: 'app/server.js', content: NODE_SERVER },
          ],
        ],
        compressed: false,
        entrypoint: ['/bin/sh', '-c'],
        cmd: ['echo starting; exec node server.js'],
        env: ['PATH=/opt/node20/bin:/usr/bin:/bin'],
        workingDir: '/app',
      });
      const code = await codeOf('event', image);
      // It is large, and the machine may have more to do: ahead, as when it is deployed.
      await images.prefetch(code);
      const state = await deploy('event', code);
      const { outcome, body } = await invoker.invoke(state, { k: 'ü' }, { requestId: 'event-1' });
      expect(outcome).toMatchObject({ kind: 'succeeded' });
      expect(JSON.parse(body.toString())).toEqual({
        event: { k: 'ü' },
        url: '/event-invoke',
        name: 'event',
        cwd: '/app',
      });
      await expect.poll(() => invoker.linesOf('event-1')).toContain('got POST /event-invoke');
      expect(invoker.linesOf('event-1')).toContain('starting');
    },
  );

  it('runs a job once for each invocation', async () => {
    const code = await codeOf('job', scratch(), { args: ['job'], port: -1 });
    const state = await deploy('job', code);
    for (const k of [1, 2]) {
      const { outcome } = await invoker.invoke(state, { k }, { requestId: `job-${k}` });
      expect(outcome).toMatchObject({ kind: 'succeeded' });
      await expect.poll(() => invoker.linesOf(`job-${k}`)).toContain(`event {"k":${k}}`);
    }
    const failing = await deploy('job', { ...code, args: ['job', 'fail'] });
    const { outcome, body } = await invoker.invoke(failing, {});
    expect(outcome).toMatchObject({ kind: 'failed', statusCode: 430 });
    expect(body.toString()).toContain('exited with code 3');
  });

  it('says why an image cannot be had', async () => {
    const code = await codeOf('gone', scratch());
    const missing = await deploy('gone', { ...code, digest: `sha256:${'0'.repeat(64)}` });
    const { outcome, body } = await invoker.invoke(missing, {});
    expect(outcome).toMatchObject({ kind: 'failed', statusCode: 444 });
    expect(body.toString()).toMatch(
      /PullImageFailed: Image \S+gone@sha256:0+: the registry has no such image/,
    );
  });

  it.each([
    ['has no such command', { command: ['/nowhere'] }, 437, /nowhere does not exist/],
    ['listens elsewhere', { args: ['9001'] }, 446, /9000/],
    ['ends at once', { args: ['job'] }, 445, /exited/],
  ])('says what an image does wrong that %s', async (name, change, statusCode, message) => {
    const code = await codeOf('wrong', scratch(), change);
    const state = await deploy(name.replaceAll(' ', '-'), code, { initTimeoutMs: 3_000 });
    const { outcome, body } = await invoker.invoke(state, {});
    expect([outcome, body.toString()]).toMatchObject([
      { kind: 'failed', statusCode },
      expect.stringMatching(message),
    ]);
  });
});

function coldStartOf({ outcome }: DispatchResult): { pullCodeMs: number } {
  if (!('coldStart' in outcome) || outcome.coldStart === undefined)
    throw new Error(`no cold start: ${outcome.kind}`);
  return outcome.coldStart;
}
