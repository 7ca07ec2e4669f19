/** What an instance is given and how calls get one: versions, layers, shared directories, concurrency, receipts. */
import { readdir, readFile, writeFile } from 'node:fs/promises';
import { request } from 'node:http';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { describe, expect, it, onTestFinished } from 'vitest';
import { makeFunction, uniqueName, untilActive } from './function.fixture.js';
import { logOf } from './function.logs.js';
import { cloud, codeOf, platform, type InvokeResult } from './platform.js';
import { until } from './until.js';
import { makeWebFunction } from './web-apps/web-function.fixture.js';
import { zipOf } from './zip.factory.js';

const LINES = {
  warm: /^Receipt RequestId: (\S+) Queued: [\d.]+ms Placed: [\d.]+ms Run: ([\d.]+)ms Cold: no$/m,
  cold: /^Receipt RequestId: (\S+) Queued: [\d.]+ms Placed: [\d.]+ms Code: [\d.]+ms Sandbox: [\d.]+ms Runtime: [\d.]+ms Init: ([\d.]+)ms Run: ([\d.]+)ms Cold: first( \(pooled\))?$/m,
};

const { name: CfsId, folder } = platform.shared;
const mounted = { CfsId, MountInsId: CfsId, LocalMountDir: '/mnt/data', RemoteMountDir: '/' };
const CfsConfig = { CfsInsList: [{ ...mounted, UserId: '10000', UserGroupId: '10000' }] };

async function resultOf(FunctionName: string, Qualifier: string): Promise<unknown> {
  const { Result } = await cloud.Invoke({ FunctionName, Qualifier });
  return JSON.parse((Result as InvokeResult).RetMsg);
}

describe('versions', () => {
  it('stay what they were when the code goes on', async () => {
    const answer = (what: string) =>
      `exports.main_handler = async (_, { function_version }) => ['${what}', function_version]`;
    const fn = await makeFunction({ source: answer('first') });
    const { FunctionVersion } = await cloud.PublishVersion({
      FunctionName: fn.name,
      Description: 'the first',
    });
    expect(FunctionVersion).toBe('1');
    await untilActive(fn.name);
    await fn.updateCode(await zipOf({ 'index.js': answer('second') }));
    expect(await resultOf(fn.name, '1')).toEqual(['first', '1']);
    expect(await resultOf(fn.name, '$LATEST')).toEqual(['second', '$LATEST']);
    const { Versions = [] } = await cloud.ListVersionByFunction({ FunctionName: fn.name });
    expect(Versions.map(({ Version, Description }) => [Version, Description])).toContainEqual([
      '1',
      'the first',
    ]);
    expect(await codeOf(resultOf(fn.name, '2'))).toMatch(/^ResourceNotFound/);
  });
});

describe('layers', () => {
  it('are at /opt, one over the other, and stay with a function when they are deleted', async () => {
    const publish = async (
      files: Record<string, string>,
    ): Promise<{ LayerName: string; LayerVersion: number }> => {
      const LayerName = uniqueName('layer');
      const { LayerVersion = 0 } = await cloud.PublishLayerVersion({
        LayerName,
        CompatibleRuntimes: ['Nodejs20.19'],
        Content: { ZipFile: (await zipOf(files)).toString('base64') },
      });
      onTestFinished(async () => void (await codeOf(cloud.DeleteLayerVersion({ LayerName, LayerVersion }))));
      return { LayerName, LayerVersion };
    };
    const below = await publish({
      'node_modules/greet/index.js': `module.exports = 'hello'`,
      which: 'below',
    });
    const above = await publish({ 'bin/tool': '#!/bin/sh\necho tool runs', which: 'above' });
    const fn = await makeFunction({
      Runtime: 'Nodejs20.19',
      Layers: [below, above],
      source: `const { readFileSync } = require('fs'); const { execFileSync } = require('child_process');
        exports.main_handler = async () =>
          [require('greet'), execFileSync('/opt/bin/tool').toString(), readFileSync('/opt/which', 'utf8')]`,
    });
    await cloud.DeleteLayerVersion(below);
    expect(await resultOf(fn.name, '$LATEST')).toEqual(['hello', 'tool runs\n', 'above']);
  });
});

describe('a shared directory', () => {
  it('is the same for all instances and the host', async () => {
    const fn = await makeFunction({
      // Each waits for what the other one has written, and adds to it: they run in two instances.
      source: `const { existsSync, readFileSync, writeFileSync, appendFileSync } = require('fs');
        const at = (name) => '/mnt/data/' + name;
        const found = async (look) => { while (!look()) await new Promise((go) => setTimeout(go, 20)); };
        exports.main_handler = async ({ mine, others }) => {
          writeFileSync(at(mine), 'of ' + mine);
          await found(() => existsSync(at(others)));
          appendFileSync(at(others), ', seen by ' + mine);
          await found(() => readFileSync(at(mine), 'utf8').includes('seen'));
          return readFileSync(at(mine), 'utf8');
        }`,
      CfsConfig,
    });
    const [first, second] = await Promise.all([
      fn.invoke({ mine: 'one', others: 'two' }),
      fn.invoke({ mine: 'two', others: 'one' }),
    ]);
    expect([first, second].map(({ ErrMsg, RetMsg }) => ErrMsg || RetMsg)).toEqual([
      '"of one, seen by two"',
      '"of two, seen by one"',
    ]);
    expect(await readFile(join(folder, 'one'), 'utf8')).toBe('of one, seen by two');
  });
});

describe('several requests in one instance', () => {
  const MOST = 5;
  /** Says how many requests it has, and answers them when it may. */
  const app = `
    const { existsSync, writeFileSync } = require('fs');
    const instance = require('crypto').randomUUID();
    let requests = 0;
    require('http').createServer((request, response) => {
      const round = '/mnt/data' + request.url;
      writeFileSync(round + '.' + instance, String(++requests));
      const look = setInterval(() => {
        if (!existsSync(round + '.go')) return;
        clearInterval(look);
        requests -= 1;
        response.end(instance);
      }, 20);
    }).listen(9000, '0.0.0.0');`;

  /** So many requests at once: how many each instance had when all were there. */
  async function sharesOf(url: string, count: number): Promise<number[]> {
    const round = uniqueName('round');
    const answers = Array.from({ length: count }, async () => (await fetch(`${url}/${round}`)).text());
    const shares = await until(`${count} requests at once`, async () => {
      const reports = (await readdir(folder)).filter((file) => file.startsWith(`${round}.`));
      const found = await Promise.all(
        reports.map(async (file) => Number(await readFile(join(folder, file)))),
      );
      return found.reduce((sum, each) => sum + each, 0) === count && found;
    });
    await writeFile(join(folder, `${round}.go`), '');
    expect(new Set(await Promise.all(answers)).size).toBe(shares.length);
    return shares.sort();
  }

  it('are as many as it was allowed; more of them go to another one', async () => {
    const { url } = await makeWebFunction({
      Runtime: 'Nodejs20.19',
      zip: await zipOf({
        scf_bootstrap: '#!/bin/bash\nexec /var/lang/node20/bin/node app.js',
        'app.js': app,
      }),
      InstanceConcurrencyConfig: { DynamicEnabled: 'FALSE', MaxConcurrency: MOST },
      CfsConfig,
    });
    expect(await sharesOf(url, MOST)).toEqual([MOST]);
    expect(await sharesOf(url, MOST + 2)).toEqual([2, MOST]);
  });
});

describe('the receipt of a call', () => {
  it('says where its time went, cold and warm', async () => {
    const fn = await makeFunction({
      source: `for (const end = Date.now() + 120; Date.now() < end; );
        exports.main_handler = () => new Promise((done) => setTimeout(done, 80));`,
    });
    const first = await fn.invoke();
    const [, coldId, initMs, coldRunMs] = LINES.cold.exec(first.Log) ?? [];
    expect(coldId).toBe(first.FunctionRequestId);
    expect(Number(initMs)).toBeGreaterThanOrEqual(119);
    expect(Number(coldRunMs)).toBeGreaterThanOrEqual(79);
    const second = await fn.invoke();
    const [, warmId, runMs] = LINES.warm.exec(second.Log) ?? [];
    expect(warmId).toBe(second.FunctionRequestId);
    expect(Number(runMs)).toBeGreaterThanOrEqual(79);
    expect((await logOf(fn.name, first.FunctionRequestId)).Log).toMatch(LINES.cold);
    expect((await logOf(fn.name, second.FunctionRequestId)).Log).toMatch(LINES.warm);
  });
});

describe('a function URL', () => {
  it('leads to the function by its host name too, and nowhere when it is closed', async () => {
    const { name, url } = await makeWebFunction({
      Runtime: 'Nodejs20.19',
      zip: await zipOf({
        scf_bootstrap: '#!/bin/bash\nexec /var/lang/node20/bin/node app.js',
        'app.js': `require('http').createServer((q, s) => s.end(q.method + ' ' + q.url)).listen(9000, '0.0.0.0')`,
      }),
    });
    expect(await (await fetch(`${url}/a%20b?c=1&c=2`)).text()).toBe('GET /a%20b?c=1&c=2');
    const { Triggers = [] } = await cloud.ListTriggers({ FunctionName: name });
    const { NetConfig } = JSON.parse(Triggers[0]?.TriggerDesc ?? '{}') as {
      NetConfig: { ExtranetUrl: string };
    };
    expect(await byHost(NetConfig.ExtranetUrl, '/by/host')).toBe('GET /by/host');
    const change = (Enable: string) =>
      cloud.UpdateTrigger({ FunctionName: name, TriggerName: 'url', Type: 'http', Enable });
    await change('CLOSE');
    await until('the URL is closed', async () => (await fetch(url)).status !== 200);
    await change('OPEN');
    await until('the URL is open', async () => (await fetch(url)).status === 200);
  });
});

/** As a client would that resolves the name to the gateway. */
async function byHost(address: string, path: string): Promise<string> {
  const { host } = new URL(address);
  return new Promise((resolve, reject) => {
    request(new URL(path, platform.gateway), { headers: { host } }, (response) => resolve(text(response)))
      .on('error', reject)
      .end();
  });
}
