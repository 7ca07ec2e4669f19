import { topics } from '@openscf/contracts';
import { actions } from '@openscf/scf-api';
import { eventually, sharedParts, uniqueName } from '@openscf/testing';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { codeZip, command, createRequest, startRegistry, type TestRegistry } from './registry.factory.js';

interface ReadBack {
  AuthType: string;
  NetConfig: Record<string, string | boolean>;
  CorsConfig?: Record<string, unknown>;
}

describe('function URLs', () => {
  let registry: TestRegistry;
  beforeAll(async () => {
    registry = await startRegistry({
      ...sharedParts().environment,
      OPENSCF_FUNCTION_URL_DOMAIN: 'fn.example.com',
      OPENSCF_GATEWAY_PUBLIC_URL: 'http://gateway.example.com:8080',
    });
  });
  afterAll(() => registry.stop());

  async function created(fields: Record<string, unknown> = {}): Promise<string> {
    const name = uniqueName('web');
    const request = createRequest(name, { Type: 'HTTP', ...fields });
    await registry.functions.createFunction(command(request, await registry.upload(codeZip())));
    return name;
  }
  const open = (FunctionName: string, TriggerName: string, desc: object, fields: object = {}) =>
    registry.triggers.createTrigger(
      command({ FunctionName, TriggerName, Type: 'http', TriggerDesc: JSON.stringify(desc), ...fields }),
    );
  const update = (FunctionName: string, TriggerName: string, fields: object) =>
    registry.triggers.updateTrigger(command({ FunctionName, TriggerName, Type: 'http', ...fields }));
  async function read(FunctionName: string) {
    const reply = await registry.triggers.listTriggers(command({ FunctionName }));
    const [trigger] = actions.ListTriggers.response.parse(reply.ok && reply.response).Triggers;
    return { ...trigger, desc: JSON.parse(trigger?.TriggerDesc ?? '{}') as ReadBack };
  }
  const stateOf = (functionName: string) =>
    [...registry.bus.table(topics.triggers).values()].find((state) => state.functionName === functionName);

  it('have an address of their own, told by host and by path', async () => {
    const name = await created({ ProtocolType: 'WS' });
    const CorsConfig = { Enable: true, Origins: ['https://a.example'], Methods: ['GET'], MaxAge: 60 };
    const reply = await open(name, 'url', { AuthType: 'NONE', CorsConfig });
    const state = await eventually(() => stateOf(name));
    expect(state).toMatchObject({
      type: 'http',
      urlId: expect.stringMatching(/^[a-z0-9]{10}$/) as string,
      authType: 'NONE',
      qualifier: '$LATEST',
      enabled: true,
      cors: {
        origins: ['https://a.example'],
        methods: ['GET'],
        headers: [],
        maxAgeSeconds: 60,
        credentials: false,
      },
    });
    const label = `1250000000-${state.type === 'http' ? state.urlId : ''}`;
    const { desc } = await read(name);
    expect(desc).toMatchObject({
      AuthType: 'NONE',
      CorsConfig: { ...CorsConfig, Headers: [], Credentials: false },
      NetConfig: {
        EnableExtranet: true,
        ExtranetUrl: `http://${label}.fn.example.com:8080`,
        WsExtranetUrl: `ws://${label}.fn.example.com:8080`,
        WssExtranetUrl: '',
        EnableIntranet: false,
        IntranetUrl: '',
        PathUrl: `http://gateway.example.com:8080/url/${label}/`,
      },
    });
    expect(actions.CreateTrigger.response.parse(reply.ok && reply.response).TriggerInfo).toMatchObject({
      Type: 'http',
      TriggerName: 'url',
      Enable: 1,
    });
  });

  it('are changed in part and keep their address', async () => {
    const name = await created();
    await open(name, 'url', { AuthType: 'NONE', NetConfig: { EnableIntranet: true, EnableExtranet: true } });
    const before = await read(name);
    await update(name, 'url', { TriggerDesc: '{"AuthType":"CAM"}', Description: 'signed' });
    const signed = await read(name);
    expect(signed).toMatchObject({ Description: 'signed', Enable: 1, desc: { AuthType: 'CAM' } });
    expect(signed.desc.NetConfig).toEqual(before.desc.NetConfig);
    await update(name, 'url', { Enable: 'CLOSE' });
    expect((await read(name)).Enable).toBe(0);
    // What was read back can be sent again, as tools do.
    const all = (await read(name)).TriggerDesc;
    await update(name, 'url', { Enable: 'OPEN', TriggerDesc: all });
    expect((await read(name)).desc).toEqual(signed.desc);
    await eventually(() => {
      const state = stateOf(name);
      return (
        state?.type === 'http' && state.authType === 'CAM' && state.enabled && state.enabledAt !== undefined
      );
    });
    await registry.triggers.deleteTrigger(command({ FunctionName: name, TriggerName: 'url', Type: 'http' }));
    await eventually(() => stateOf(name) === undefined);
  });

  it('are one for each version', async () => {
    const name = await created();
    await registry.versions.publishVersion(command({ FunctionName: name }));
    await open(name, 'latest', { AuthType: 'NONE' });
    await expect(open(name, 'again', { AuthType: 'NONE' })).rejects.toMatchObject({
      code: 'ResourceInUse.Trigger',
    });
    await open(name, 'one', { AuthType: 'NONE' }, { Qualifier: '1' });
    await expect(open(name, 'two', { AuthType: 'NONE' }, { Qualifier: '2' })).rejects.toMatchObject({
      code: 'ResourceNotFound.FunctionVersion',
    });
    const reply = await registry.functions.getFunction(command({ FunctionName: name, Qualifier: '1' }));
    const { Triggers } = actions.GetFunction.response.parse(reply.ok && reply.response);
    expect(Triggers.map(({ TriggerName }) => TriggerName)).toEqual(['one']);
  });

  it('are not all that can be updated', async () => {
    const name = await created({ Type: 'Event' });
    const timer = { FunctionName: name, TriggerName: 'every', Type: 'timer' };
    await registry.triggers.createTrigger(
      command({ ...timer, TriggerDesc: '0 0 9 * * * *', CustomArgument: 'a' }),
    );
    await registry.triggers.updateTrigger(command({ ...timer, CustomArgument: 'b', Enable: 'CLOSE' }));
    await eventually(() => {
      const state = stateOf(name);
      return state?.type === 'timer' && state.customArgument === 'b' && !state.enabled;
    });
    await registry.triggers.updateTrigger(command({ ...timer, TriggerDesc: '0 30 9 * * * *' }));
    expect(await read(name)).toMatchObject({
      CustomArgument: 'b',
      Enable: 0,
      TriggerDesc: '{"cron":"0 30 9 * * * *"}',
    });
    const kafka = { FunctionName: name, TriggerName: 'ckafka-local-orders', Type: 'ckafka' };
    await registry.triggers.createTrigger(command({ ...kafka, TriggerDesc: '{"maxMsgNum":5}' }));
    await registry.triggers.updateTrigger(command({ ...kafka, TriggerDesc: '{"timeOut":2}' }));
    expect((await read(name)).desc).toMatchObject({ maxMsgNum: 5, timeOut: 2 });
    const moved = registry.triggers.updateTrigger(
      command({ ...kafka, TriggerDesc: '{"offset":"earliest"}' }),
    );
    await expect(moved).rejects.toMatchObject({ code: 'InvalidParameterValue.Ckafka' });
  });
});
