import { afterEach, beforeAll, describe, expect, it } from 'vitest';
import { AgentProcess, agentProgram, freePort, type CodeFile } from './agent-process.fake.js';

let agent: AgentProcess | undefined;

beforeAll(() => void agentProgram(), 120_000);

afterEach(async () => {
  await agent?.stop();
  agent = undefined;
});

async function start(
  files: Record<string, CodeFile>,
  init: Record<string, unknown> = {},
): Promise<AgentProcess> {
  agent = await AgentProcess.start('web', files);
  const port = await freePort();
  const environment = { AT: String(port), ...(init['environment'] as object | undefined) };
  expect(await agent.init({ port, ...init, environment })).toBeUndefined();
  return agent;
}

describe('a web function in Node.js', () => {
  const app = `
const waiting = [];
require('http').createServer(async (request, response) => {
  console.log('begin\\n%s', request.url);
  await new Promise((go) => waiting.push(go) === 2 ? waiting.forEach((each) => each()) : 0);
  process.stdout.write('end ');
  process.stdout.write('of ' + request.url + '\\n');
  require('fs').writeSync(2, 'logged\\n');
  require('fs').write(1, 'logged too\\n', 'utf8', () => {});
  await require('util').promisify(require('fs').write)(1, 'and this\\n').then(({ bytesWritten }) => bytesWritten === 9 || process.exit(1));
  response.end();
}).listen(process.env.AT);
console.log('listening');`;

  it('marks the lines of requests that overlap', async () => {
    const environment = { NODE_OPTIONS: '--no-warnings' };
    const web = await start(
      { scf_bootstrap: '#!/bin/bash\nexec node app.js', 'app.js': app },
      { environment },
    );
    await Promise.all([web.fetch('GET', '/1'), web.fetch('GET', '/2')]);
    await web.until(() => web.output.split('\n').length > 13);
    const marked = ['request-1', 'request-2'].flatMap((id, at) =>
      ['begin', `/${at + 1}`, `end of /${at + 1}`, 'logged', 'logged too', 'and this'].map(
        (line) => `\u0001${id}\u0001${line}`,
      ),
    );
    expect(web.output.split('\n').sort()).toEqual(['', 'listening', ...marked].sort());
  });
});

describe('a web function in Python', () => {
  const server = (handler: string, rest: string): string => `
import http.server, os, sys, threading
${handler}
${rest}`;
  const files = (code: string): Record<string, string> => ({
    scf_bootstrap: '#!/bin/bash\nexec python3 app.py',
    'app.py': code,
  });
  const handler = `
both = threading.Barrier(2)
class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        print('begin', self.path)
        if self.path != '/one': both.wait()
        sys.stdout.write('end of ')
        print(self.path)
        self.send_response(200)
        self.end_headers()
        self.wfile.write(b'done')
    def do_POST(self):
        body = self.rfile.read(int(self.headers['Content-Length']))
        self.send_response(200)
        self.end_headers()
        self.wfile.write(body)
    def log_message(self, *args): pass`;

  it('serves HTTP/1.0, one connection after the other', async () => {
    const rest = `http.server.HTTPServer(('127.0.0.1', int(os.environ['AT'])), Handler).serve_forever()`;
    const web = await start(files(server(handler, rest)));
    expect((await web.fetch('GET', '/one')).body).toBe('done');
    expect((await web.fetch('POST', '/', {}, 'x'.repeat(200_000))).body).toBe('x'.repeat(200_000));
    expect((await web.fetch('GET', '/one')).body).toBe('done');
  });

  it('marks the lines of requests that overlap, and loads its own sitecustomize', async () => {
    const rest = `http.server.ThreadingHTTPServer(('127.0.0.1', int(os.environ['AT'])), Handler).serve_forever()`;
    const web = await start(
      { ...files(server(handler, rest)), 'site/sitecustomize.py': 'print("own site")' },
      { environment: { PYTHONPATH: 'site' } },
    );
    await Promise.all([web.fetch('GET', '/a'), web.fetch('GET', '/b')]);
    await web.until(() => web.output.split('\n').length > 5);
    const marked = ['/a', '/b'].flatMap((path, at) =>
      ['begin', 'end of'].map((text) => `\u0001request-${at + 1}\u0001${text} ${path}`),
    );
    expect(web.output.split('\n').sort()).toEqual(['', 'own site', ...marked].sort());
  });

  it('marks what a WSGI program logs', async () => {
    const code = `
import logging, os
from wsgiref.simple_server import make_server
def application(environ, start_response):
    logging.warning('careful %s', environ['PATH_INFO'])
    start_response('200 OK', [])
    return [b'wsgi']
make_server('127.0.0.1', int(os.environ['AT']), application).serve_forever()`;
    const web = await start(files(code));
    expect((await web.fetch('GET', '/now')).body).toBe('wsgi');
    await web.until(() => web.output.includes('careful'));
    expect(web.output).toMatch(/^\u0001request-1\u0001.*careful \/now$/m);
  });
});
