/**
 * Web programs as their registries carry them, each with the few lines of `scf_bootstrap` that start it on port 9000. Nothing of
 * them is changed, and nothing in them knows of SCF.
 */
import { execFile } from 'node:child_process';
import { chmod, cp, mkdir, readdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { cachedApp, tool } from './app-cache.js';

async function bootstrap(folder: string, lines: readonly string[]): Promise<void> {
  const path = join(folder, 'scf_bootstrap');
  await writeFile(path, ['#!/bin/bash', ...lines, ''].join('\n'));
  await chmod(path, 0o755);
}

async function npmInstall(folder: string, packages: Record<string, string>): Promise<void> {
  const specs = Object.entries(packages).map(([name, version]) => `${name}@${version}`);
  await tool('npm', ['install', '--prefix', folder, '--omit=dev', '--no-audit', '--no-fund', ...specs]);
}

/** json-server: a REST server for a JSON file, made with Express. */
export function jsonServer(): Promise<string> {
  const packages = { 'json-server': '0.17.4' };
  return cachedApp('json-server', packages, async (folder) => {
    await npmInstall(folder, packages);
    await writeFile(join(folder, 'db.json'), JSON.stringify({ posts: [{ id: 1, title: 'first' }] }));
    await bootstrap(folder, [
      'cp db.json /tmp/db.json',
      'exec /var/lang/node18/bin/node node_modules/json-server/lib/cli/bin.js --host 0.0.0.0 --port 9000 /tmp/db.json',
    ]);
  });
}

/** The application that express-generator, Express's own, makes. */
export function expressGenerator(): Promise<string> {
  const packages = { 'express-generator': '4.16.1' };
  return cachedApp('express-generator', packages, async (folder) => {
    const generator = join(folder, 'generator');
    await npmInstall(generator, packages);
    await tool(join(generator, 'node_modules/.bin/express'), ['--view=pug', '--force', folder]);
    await rm(generator, { recursive: true });
    await tool('npm', ['install', '--prefix', folder, '--omit=dev', '--no-audit', '--no-fund']);
    await bootstrap(folder, ['export PORT=9000', 'exec /var/lang/node18/bin/node bin/www']);
  });
}

const FASTIFY_APP = `const fastify = require('fastify')({ logger: true });
fastify.get('/hello/:name', { schema: { params: { type: 'object', properties: { name: { type: 'string' } } } } },
  async (request) => { request.log.info('greeting ' + request.params.name); return { hello: request.params.name }; });
fastify.post('/sum', async ({ body }) => ({ sum: body.values.reduce((a, b) => a + b, 0) }));
fastify.listen({ host: '0.0.0.0', port: 9000 });
`;

export function fastify(): Promise<string> {
  const packages = { fastify: '5.12.8' };
  return cachedApp('fastify', { packages, FASTIFY_APP }, async (folder) => {
    await npmInstall(folder, packages);
    await writeFile(join(folder, 'app.js'), FASTIFY_APP);
    await bootstrap(folder, ['exec /var/lang/node20/bin/node app.js']);
  });
}

const NEXT_PACKAGES = { next: '16.4.6', react: '19.2.0', 'react-dom': '19.2.0' };
const NEXT_FILES = {
  'next.config.mjs': "export default { output: 'standalone' };\n",
  'app/layout.jsx': 'export default ({ children }) => (<html lang="en"><body>{children}</body></html>);\n',
  'app/page.jsx':
    "export const dynamic = 'force-dynamic';\nexport default async ({ searchParams }) => (<h1>Hello {(await searchParams).name}</h1>);\n",
  'app/api/echo/route.js':
    'export async function POST(request) { return Response.json({ echoed: await request.json() }); }\n',
};

/** Next.js with a page that is rendered for each request, and a route: built as its documents say, `output: standalone`. */
export function next(): Promise<string> {
  return cachedApp('next', { NEXT_PACKAGES, NEXT_FILES }, async (folder) => {
    const project = join(folder, 'project');
    for (const [name, text] of Object.entries(NEXT_FILES)) {
      await mkdir(join(project, name, '..'), { recursive: true });
      await writeFile(join(project, name), text);
    }
    await npmInstall(project, NEXT_PACKAGES);
    const env = { NEXT_TELEMETRY_DISABLED: '1', NODE_ENV: 'production' };
    await tool(process.execPath, ['node_modules/next/dist/bin/next', 'build'], { cwd: project, env });
    await cp(join(project, '.next/standalone'), folder, { recursive: true });
    await cp(join(project, '.next/static'), join(folder, '.next/static'), { recursive: true });
    await rm(project, { recursive: true });
    await bootstrap(folder, [
      'export HOSTNAME=0.0.0.0 PORT=9000 NODE_ENV=production',
      'exec /var/lang/node20/bin/node server.js',
    ]);
  });
}

/** Flaskr, the application of Flask's own tutorial, out of Flask's source package. */
export function flaskr(): Promise<string> {
  const version = '3.1.3';
  return cachedApp('flaskr', { version }, async (folder) => {
    const pip = (...args: string[]) => tool('python3', ['-m', 'pip', '-q', ...args]);
    const source = join(folder, 'source');
    await mkdir(source);
    await pip('download', '--no-deps', '--no-binary', ':all:', '-d', source, `flask==${version}`);
    const [archive = ''] = await readdir(source);
    await tool('tar', ['xzf', join(source, archive), '-C', source]);
    await cp(join(source, `flask-${version}/examples/tutorial/flaskr`), join(folder, 'flaskr'), {
      recursive: true,
    });
    await rm(source, { recursive: true });
    await pip('install', '--target', join(folder, 'packages'), `flask==${version}`);
    await bootstrap(folder, [
      'export PYTHONPATH=/var/user/packages:/var/user${PYTHONPATH:+:$PYTHONPATH}',
      // The tutorial keeps its database beside the code, which is read-only here.
      'cp -r flaskr /tmp/flaskr && cd /tmp',
      '/var/lang/python311/bin/python3 -m flask --app flaskr init-db',
      'exec /var/lang/python311/bin/python3 -m flask --app flaskr run --host 0.0.0.0 --port 9000',
    ]);
  });
}

/** Prints the way programs do, before and after all of so many requests are there. */
const FLASK_APP = `import logging, threading
from flask import Flask
app = Flask(__name__)
logging.basicConfig(level=logging.INFO)
barriers = {}

@app.get('/<name>/of/<int:count>')
def meet(name, count):
    print('printed by', name)
    barriers.setdefault(count, threading.Barrier(count)).wait(timeout=20)
    app.logger.warning('logged by %s', name)
    return name
`;

/** Flask with its own server, a thread for each request. */
export function flask(): Promise<string> {
  const version = '3.1.3';
  return cachedApp('flask', { version, FLASK_APP }, async (folder) => {
    const target = join(folder, 'packages');
    await tool('python3', ['-m', 'pip', '-q', 'install', '--target', target, `flask==${version}`]);
    await writeFile(join(folder, 'app.py'), FLASK_APP);
    await bootstrap(folder, [
      'export PYTHONPATH=/var/user/packages:/var/user${PYTHONPATH:+:$PYTHONPATH}',
      'exec /var/lang/python311/bin/python3 -m flask run --host 0.0.0.0 --port 9000',
    ]);
  });
}

/** What `django-admin startproject` makes, with Django's own admin pages. */
export function django(): Promise<string> {
  const packages = ['django==5.2.8'];
  return cachedApp('django', packages, async (folder) => {
    const target = join(folder, 'packages');
    await tool('python3', ['-m', 'pip', '-q', 'install', '--target', target, ...packages]);
    const env = { PYTHONPATH: target };
    await tool('python3', ['-m', 'django', 'startproject', 'site1', folder], { env });
    await bootstrap(folder, [
      'export PYTHONPATH=/var/user/packages:/tmp/site${PYTHONPATH:+:$PYTHONPATH}',
      'mkdir /tmp/site && cp -r manage.py site1 /tmp/site && cd /tmp/site',
      'sed -i "s/ALLOWED_HOSTS = .*/ALLOWED_HOSTS = [\'*\']/" site1/settings.py',
      '/var/lang/python311/bin/python3 manage.py migrate --verbosity 0',
      'exec /var/lang/python311/bin/python3 manage.py runserver --noreload 0.0.0.0:9000',
    ]);
  });
}

/** Zipkin's server: an executable Spring Boot jar of Maven Central. */
export function zipkin(): Promise<string> {
  const artifact = 'io.zipkin:zipkin-server:3.4.4:jar:slim';
  return cachedApp('zipkin', { artifact }, async (folder) => {
    await tool('mvn', [
      '-q',
      '-B',
      'dependency:copy',
      `-Dartifact=${artifact}`,
      `-DoutputDirectory=${folder}`,
    ]);
    await bootstrap(folder, [
      'export QUERY_PORT=9000',
      'exec /var/lang/java17/bin/java -XX:TieredStopAtLevel=1 -jar zipkin-server-3.4.4-slim.jar',
    ]);
  });
}

/** go-httpbin: a net/http server with streams, server-sent events and a WebSocket echo. */
export function httpbin(): Promise<string> {
  const module = 'github.com/mccutchen/go-httpbin/v2/cmd/go-httpbin@v2.26.0';
  return cachedApp('httpbin', { module }, async (folder) => {
    await tool('go', ['install', module], { env: { GOBIN: folder, CGO_ENABLED: '0' } });
    await bootstrap(folder, ['exec ./go-httpbin -host 0.0.0.0 -port 9000']);
  });
}

/** Adminer, a whole PHP application in one file, out of Debian's package. */
export function adminer(): Promise<string> {
  return cachedApp('adminer', 'debian', async (folder) => {
    const { stdout } = await promisify(execFile)('apt-get', ['download', '--print-uris', 'adminer']);
    if (stdout === '') throw new Error('apt-get knows no package adminer: run `apt-get update`');
    await tool('apt-get', ['download', 'adminer'], { cwd: folder });
    const [archive = ''] = await readdir(folder);
    await tool('dpkg-deb', ['-x', join(folder, archive), join(folder, 'package')]);
    await cp(join(folder, 'package/usr/share/adminer'), join(folder, 'adminer'), { recursive: true });
    await rm(join(folder, 'package'), { recursive: true });
    await rm(join(folder, archive));
    await bootstrap(folder, ['exec /var/lang/php82/bin/php -S 0.0.0.0:9000 -t adminer']);
  });
}
