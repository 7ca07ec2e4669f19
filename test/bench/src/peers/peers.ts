import { execFile } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { cachedFolder, freePort } from '@openscf/infra-local';
import { inCache } from '../measuring/cache.ts';
import { startProgram, type Program } from '../measuring/program.ts';

const run = promisify(execFile);

/** Versions that are measured; installed once below the cache, because nothing of ours needs them. */
const NODE_PACKAGES = { '@google-cloud/functions-framework': '5.0.5', workerd: '1.20261117.1' };
const PYTHON_PACKAGE = 'functions-framework==3.10.2';

/** Another platform's way to run a function, as its own package starts it: no signature, no sandbox, no quota, no record. */
export interface Peer {
  readonly name: string;
  start(): Promise<Program>;
}

const INDEX_JS = `exports.echo = (request, response) => response.json(request.body);\n`;
const MAIN_PY = `def echo(request):\n    return request.get_json()\n`;
const WORKER_JS = `export default { async fetch(request) { return Response.json(await request.json()); } };\n`;

function installed(name: string, install: (folder: string) => Promise<void>): Promise<string> {
  return cachedFolder(inCache('bench-peers'), name, console.log, (part) => {
    console.log(`installing ${name} …`);
    return install(part);
  });
}

function nodePackages(): Promise<string> {
  const specs = Object.entries(NODE_PACKAGES).map(([name, version]) => `${name}@${version}`);
  const key = Object.values(NODE_PACKAGES).join('-');
  return installed(`node-${key}`, async (folder) => {
    await run('npm', ['install', '--prefix', folder, '--no-audit', '--no-fund', ...specs]);
  });
}

async function withSource(files: Record<string, string>, start: (folder: string) => Promise<Program>) {
  const folder = mkdtempSync(join(tmpdir(), 'openscf-peer-'));
  for (const [name, text] of Object.entries(files)) writeFileSync(join(folder, name), text);
  const program = await start(folder);
  const stop = async () => {
    await program.stop();
    rmSync(folder, { recursive: true, force: true });
  };
  return { ...program, stop };
}

const functionsFrameworkNode: Peer = {
  name: 'functions-framework, Node.js',
  async start() {
    const modules = join(await nodePackages(), 'node_modules');
    const port = await freePort();
    const bin = join(modules, '@google-cloud/functions-framework/build/src/main.js');
    const command = [process.execPath, bin, '--target=echo', `--port=${port}`] as const;
    return withSource({ 'index.js': INDEX_JS }, (cwd) =>
      startProgram([...command], { url: `http://127.0.0.1:${port}/`, cwd }),
    );
  },
};

const functionsFrameworkPython: Peer = {
  name: 'functions-framework, Python',
  async start() {
    const folder = await installed(`python-${PYTHON_PACKAGE}`, async (part) => {
      await run('python3', ['-m', 'pip', 'install', '-q', '--target', part, PYTHON_PACKAGE]);
    });
    const port = await freePort();
    const command = ['python3', '-m', 'functions_framework', '--target=echo', `--port=${port}`] as const;
    return withSource({ 'main.py': MAIN_PY }, (cwd) =>
      startProgram([...command], {
        url: `http://127.0.0.1:${port}/`,
        cwd,
        env: { PYTHONPATH: folder },
      }),
    );
  },
};

const workerd: Peer = {
  name: 'workerd',
  async start() {
    const modules = join(await nodePackages(), 'node_modules');
    const port = await freePort();
    const config = `using Workerd = import "/workerd/workerd.capnp";
const config :Workerd.Config = (
  services = [(name = "main", worker = (modules = [(name = "worker.js", esModule = embed "worker.js")], compatibilityDate = "2025-01-01"))],
  sockets = [(name = "http", address = "127.0.0.1:${port}", http = (), service = "main")]
);
`;
    return withSource({ 'worker.js': WORKER_JS, 'config.capnp': config }, (cwd) =>
      startProgram([join(modules, 'workerd/bin/workerd'), 'serve', 'config.capnp'], {
        url: `http://127.0.0.1:${port}/`,
        cwd,
      }),
    );
  },
};

export const peers: readonly Peer[] = [functionsFrameworkNode, functionsFrameworkPython, workerd];
