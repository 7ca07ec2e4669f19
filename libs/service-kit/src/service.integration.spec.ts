import { createServer, type Server } from 'node:http';
import { Controller, Get, Injectable, Module, type INestApplication } from '@nestjs/common';
import { MessagePattern, Payload } from '@nestjs/microservices';
import { Bus, BusModule } from '@openscf/bus';
import { CallerError, topics, type Command, type CommandReply } from '@openscf/contracts';
import { createLogger } from '@openscf/telemetry';
import { aCommand, anAsyncEvent, eventually, sharedParts, uniqueName } from '@openscf/testing';
import { afterEach, describe, expect, it } from 'vitest';
import { createApp } from './create-app.js';
import { drainApp } from './drain.js';
import type { OnDrain } from './on-drain.js';
import { prepareBus } from './prepare-bus.js';
import type { HttpFallback, ServiceOptions } from './service.types.js';

const { brokers } = sharedParts();
const lines: { level: string; msg: string }[] = [];
const logger = createLogger('log', 'info', {
  write: (line) => void lines.push(JSON.parse(line) as (typeof lines)[0]),
});

@Injectable()
class Worker implements OnDrain {
  drained: number | undefined;

  drain(deadlineMs: number): Promise<void> {
    this.drained = deadlineMs;
    return Promise.resolve();
  }
}

@Controller()
class TestController {
  @Get('refuse')
  refuse(): never {
    throw new CallerError('InvalidParameterValue', 'no');
  }

  @Get('break')
  break(): never {
    throw new Error('secret detail');
  }

  @MessagePattern('Echo')
  echo(@Payload() command: Command): CommandReply {
    return { ok: true, response: command.request, written: [] };
  }

  @MessagePattern('Refuse')
  refuseCommand(@Payload() _command: Command): CommandReply {
    throw new CallerError('ResourceNotFound.Function', 'not there');
  }
}

@Module({
  imports: [BusModule.forRoot({ brokers, clientId: 'spec', logger })],
  controllers: [TestController],
  providers: [Worker],
})
class TestModule {}

const open: INestApplication[] = [];
afterEach(async () => {
  lines.splice(0);
  await Promise.all(open.splice(0).map((app) => app.close()));
});

async function start(
  more: Partial<ServiceOptions['http']> = {},
): Promise<{ app: INestApplication; url: string }> {
  const http = { host: '127.0.0.1', port: 0, ...more };
  const options: ServiceOptions = { name: 'log', module: TestModule, http, logger, commands: true };
  const app = await createApp(options);
  open.push(app);
  await prepareBus(app, options, new AbortController().signal);
  await app.init();
  await app.startAllMicroservices();
  await app.listen(0, '127.0.0.1');
  return { app, url: await app.getUrl() };
}

describe('a service', () => {
  it('answers health, readiness and commands, keeps errors apart, and logs no error while it is well', async () => {
    const { app, url } = await start();
    expect(await (await fetch(`${url}/health`)).json()).toEqual({ status: 'ok' });
    expect(await (await fetch(`${url}/ready`)).json()).toEqual({ status: 'ready', checks: { kafka: true } });
    const refused = await fetch(`${url}/refuse`);
    expect([refused.status, await refused.json()]).toEqual([
      400,
      { code: 'InvalidParameterValue', message: 'no' },
    ]);
    expect((await fetch(`${url}/nowhere`)).status).toBe(404);

    const requester = app.get(Bus).requester(uniqueName('spec'));
    const options = { timeoutMs: 15_000 };
    expect(await requester.request('log', 'Echo', aCommand({ a: 1 }), options)).toMatchObject({
      response: { a: 1 },
    });
    expect(await requester.request('log', 'Refuse', aCommand(), options)).toEqual({
      ok: false,
      code: 'ResourceNotFound.Function',
      message: 'not there',
    });
    expect(lines.filter(({ level }) => level === 'error')).toEqual([]);

    const broken = await fetch(`${url}/break`);
    expect([broken.status, await broken.text()]).toEqual([500, expect.not.stringContaining('secret')]);
    expect(lines.filter(({ level }) => level === 'error')).toHaveLength(1);
  });

  it('drains: not ready, what is in flight is finished, then everything is closed', async () => {
    const { app, url } = await start();
    const topic = { ...topics.events, name: `test.${uniqueName('events')}` };
    const bus = app.get(Bus);
    await bus.ensureTopics([topic]);
    let begun = false;
    let finish: () => void = () => undefined;
    bus.consume({
      topic,
      groupId: uniqueName('group'),
      concurrency: 1,
      handle: () => {
        begun = true;
        return new Promise((resolve) => (finish = resolve));
      },
    });
    const value = anAsyncEvent();
    await bus.publish(topic, [{ key: value.requestId, value }]);
    await eventually(() => begun);
    let drained = false;
    const deadlineMs = Date.now() + 10_000;
    const draining = drainApp(app, deadlineMs, logger).then(() => (drained = true));
    const answer = await fetch(`${url}/ready`);
    expect([answer.status, await answer.json()]).toEqual([
      503,
      { status: 'not ready', checks: { kafka: true } },
    ]);
    expect([drained, app.get(Worker).drained]).toEqual([false, deadlineMs]);
    finish();
    await draining;
    await expect(fetch(`${url}/health`)).rejects.toThrow();
    expect(lines.filter(({ level }) => level === 'error' || level === 'warn')).toEqual([]);
  });

  it('lets a server of its own stand in front', async () => {
    const front = (fallback: HttpFallback): Server =>
      createServer((request, response) => {
        if (request.url === '/hot') response.end('hot');
        else fallback(request, response);
      });
    const { url } = await start({ serverFactory: front });
    expect(await (await fetch(`${url}/hot`)).text()).toBe('hot');
    expect((await fetch(`${url}/health`)).status).toBe(200);
  });
});
