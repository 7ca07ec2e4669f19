import { Controller, Module } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { MessagePattern, Payload } from '@nestjs/microservices';
import { CallerError, type Command, type CommandReply } from '@openscf/contracts';
import { silentLogger } from '@openscf/telemetry';
import { aCommand, sharedParts, uniqueName } from '@openscf/testing';
import { afterEach, beforeAll, describe, expect, it } from 'vitest';
import { Bus, CommandErrorFilter, KafkaCommandServer } from './index.js';

const { brokers } = sharedParts();
const open: Bus[] = [];

function newBus(clientId = 'test'): Bus {
  const bus = new Bus({ brokers, clientId, logger: silentLogger() });
  open.push(bus);
  return bus;
}

afterEach(async () => {
  await Promise.all(open.splice(0).map((bus) => bus.close()));
});

beforeAll(async () => {
  await newBus().ensureTopics([]);
});

@Controller()
class EchoController {
  @MessagePattern('Echo')
  echo(@Payload() command: Command): CommandReply {
    return { ok: true, response: { requestId: command.requestId, ...command.request }, written: [] };
  }

  @MessagePattern('Refuse')
  refuse(@Payload() command: Command): CommandReply {
    throw new CallerError('InvalidParameterValue', `No: ${String(command.request['why'])}`);
  }

  @MessagePattern('Break')
  break(@Payload() _command: Command): Promise<CommandReply> {
    return Promise.reject(new Error('secret detail'));
  }
}

@Module({ controllers: [EchoController] })
class EchoModule {}

describe('request and reply', () => {
  it('answers, maps errors, and gives up at the deadline', async () => {
    const serverBus = newBus('server');
    const app = await NestFactory.createMicroservice(EchoModule, {
      strategy: new KafkaCommandServer({ bus: serverBus, service: 'log' }),
      logger: false,
    });
    app.useGlobalFilters(new CommandErrorFilter());
    await app.listen();
    const requester = newBus('client').requester(uniqueName('gateway'));
    const options = { timeoutMs: 15_000 };
    const command = aCommand({ text: 'hi' });

    const answers = await Promise.all(
      Array.from({ length: 50 }, (_, index) =>
        requester.request('log', 'Echo', aCommand({ index }), options),
      ),
    );
    expect(answers.map((answer) => answer.ok && answer.response['index'])).toEqual(
      answers.map((_, index) => index),
    );
    expect(await requester.request('log', 'Refuse', aCommand({ why: 'because' }), options)).toEqual({
      ok: false,
      code: 'InvalidParameterValue',
      message: 'No: because',
    });
    const broken = await requester.request('log', 'Break', command, options);
    expect(broken).toMatchObject({ ok: false, code: 'InternalError' });
    expect(JSON.stringify(broken)).not.toContain('secret detail');
    expect(await requester.request('log', 'Nothing', command, options)).toMatchObject({
      code: 'InvalidAction',
    });
    await app.close();
    await serverBus.close();
    await expect(requester.request('log', 'Echo', command, { timeoutMs: 300 })).rejects.toThrow(
      'no answer from log',
    );
  });
});
