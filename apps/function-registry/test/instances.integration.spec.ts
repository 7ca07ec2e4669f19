import { functionKey, topics, type FunctionState, type InvokerState } from '@openscf/contracts';
import { actions } from '@openscf/scf-api';
import { eventually, sharedParts, uniqueName } from '@openscf/testing';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { codeZip, command, createRequest, startRegistry, type TestRegistry } from './registry.factory.js';

/** What a function says of its instances: runtime, image, web server, shared directories. */
describe('instances', () => {
  let registry: TestRegistry;
  beforeAll(async () => {
    registry = await startRegistry({
      ...sharedParts().environment,
      OPENSCF_SHARED_FILE_SYSTEMS: 'models=/srv/models;media=nfs:10.0.0.1:/export',
      OPENSCF_FUNCTIONS_PER_NAMESPACE: '200',
    });
  });
  afterAll(() => registry.stop());
  afterEach(() => {
    registry.invokers.states = [];
  });

  async function create(fields: Record<string, unknown>): Promise<string> {
    const name = uniqueName('f');
    const request = createRequest(name, fields);
    const upload =
      'ImageConfig' in (request['Code'] as object) ? undefined : await registry.upload(codeZip());
    await registry.functions.createFunction(command(request, upload));
    return name;
  }
  const update = (FunctionName: string, fields: Record<string, unknown>) =>
    registry.functions.updateFunctionConfiguration(command({ FunctionName, ...fields }));
  async function detail(FunctionName: string) {
    const reply = await registry.functions.getFunction(command({ FunctionName, ShowCode: 'TRUE' }));
    return actions.GetFunction.response.parse(reply.ok && reply.response);
  }
  function announced(functionName: string, test: (state: FunctionState) => boolean = () => true) {
    const key = functionKey({ namespace: 'default', functionName, version: '$LATEST' });
    return eventually(() => {
      const state = registry.bus.table(topics.functions).get(key);
      return state && test(state) ? state : undefined;
    });
  }
  function invoker(runtimes: string[], missingRuntimes: Record<string, string> = {}): InvokerState {
    const resources = { accepting: true, memoryMb: 1000, usedMemoryMb: 0, provisioned: {} };
    const identity = { invokerId: 'a', epoch: 'e', address: '127.0.0.1:1', sentAt: Date.now() };
    return { ...identity, ...resources, runtimes, missingRuntimes };
  }

  it('of web functions serve several requests and WebSocket', async () => {
    const name = await create({
      Type: 'HTTP',
      Runtime: 'Python3.11',
      Handler: undefined,
      ProtocolType: 'WS',
      InstanceConcurrencyConfig: { DynamicEnabled: 'FALSE', MaxConcurrency: 20 },
    });
    expect(await announced(name)).toMatchObject({
      type: 'HTTP',
      handler: '',
      instanceConcurrency: 20,
      webSocketIdleMs: 15_000,
    });
    expect(await detail(name)).toMatchObject({
      Type: 'HTTP',
      ProtocolType: 'WS',
      ProtocolParams: { WSParams: { IdleTimeOut: 15 } },
      InstanceConcurrencyConfig: { DynamicEnabled: 'FALSE', MaxConcurrency: 20 },
    });
    await update(name, {
      InstanceConcurrencyConfig: { DynamicEnabled: '' },
      ProtocolParams: { WSParams: { IdleTimeOut: 60 } },
    });
    const state = await announced(name, ({ instanceConcurrency }) => instanceConcurrency === 1);
    expect(state.webSocketIdleMs).toBe(60_000);
    expect((await detail(name)).InstanceConcurrencyConfig).toBeNull();
    const timer = { FunctionName: name, TriggerName: 't', Type: 'timer', TriggerDesc: '0 0 9 * * * *' };
    await expect(registry.triggers.createTrigger(command(timer))).rejects.toMatchObject({
      code: 'UnsupportedOperation.Trigger',
    });
  });

  it('of event functions serve one request', async () => {
    const name = await create({});
    for (const [fields, code] of [
      [
        { InstanceConcurrencyConfig: { MaxConcurrency: 2 } },
        'InvalidParameterValue.InstanceConcurrencyConfig',
      ],
      [{ ProtocolParams: { WSParams: { IdleTimeOut: 9 } } }, 'InvalidParameterValue.WebSocketsParams'],
    ] as const) {
      await expect(update(name, fields)).rejects.toMatchObject({ code });
    }
  });

  it('of images run what the image’s name meant when it was deployed', async () => {
    const ImageUri = 'registry.example.com/team/app:v1';
    const ImageConfig = {
      ImageType: 'personal',
      ImageUri,
      Command: 'python',
      Args: '-u  app.py',
      ImagePort: 9000,
    };
    const name = await create({
      Runtime: undefined,
      Handler: undefined,
      Type: 'HTTP',
      Code: { ImageConfig },
    });
    const digest = `sha256:${'ef'.repeat(32)}`;
    expect(registry.images.asked).toContain(ImageUri);
    expect(await announced(name)).toMatchObject({
      runtime: 'CustomImage',
      initTimeoutMs: 90_000,
      code: {
        kind: 'image',
        imageUri: ImageUri,
        digest,
        command: ['python'],
        args: ['-u', 'app.py'],
        port: 9000,
      },
    });
    expect(await detail(name)).toMatchObject({
      Runtime: 'CustomImage',
      CodeSize: 1234,
      CodeInfo: '',
      ImageConfig: {
        ImageType: 'personal',
        ImageUri,
        Digest: digest,
        Command: 'python',
        Args: '-u app.py',
      },
    });
    await registry.versions.publishVersion(command({ FunctionName: name }));
    const next = { ...ImageConfig, ImageUri: 'registry.example.com/team/app:v2' };
    await registry.functions.updateFunctionCode(command({ FunctionName: name, Code: { ImageConfig: next } }));
    await announced(name, ({ code }) => code.kind === 'image' && code.imageUri.endsWith(':v2'));
    const link = registry.functions.getFunctionAddress(command({ FunctionName: name }));
    await expect(link).rejects.toMatchObject({ code: 'FailedOperation.GetFunctionAddress' });
    const zip = command({ FunctionName: name, ZipFile: '(streamed)' }, await registry.upload(codeZip()));
    await expect(registry.functions.updateFunctionCode(zip)).rejects.toMatchObject({
      code: 'InvalidParameterValue.Code',
    });
  });

  it('see shared directories that the operator has set up', async () => {
    const place = { CfsId: 'media', LocalMountDir: '/mnt/media', RemoteMountDir: '/pictures' };
    const mount = { ...place, UserGroupId: '33' };
    const name = await create({ CfsConfig: { CfsInsList: [mount] } });
    const expected = { cfsId: 'media', localDirectory: '/mnt/media', remoteDirectory: '/pictures' };
    const owner = { uid: 10_000, gid: 33 };
    expect((await announced(name)).sharedDirectories).toEqual([{ ...expected, ...owner }]);
    expect((await detail(name)).CfsConfig.CfsInsList).toMatchObject([{ ...mount, UserId: '10000' }]);
    await expect(
      update(name, { CfsConfig: { CfsInsList: [{ ...mount, CfsId: 'secret' }] } }),
    ).rejects.toMatchObject({
      code: 'InvalidParameterValue',
      message: expect.stringContaining('models, media') as string,
    });
    await update(name, { CfsConfig: { CfsInsList: [] } });
    await announced(name, ({ sharedDirectories }) => sharedDirectories.length === 0);
  });

  it('have a runtime that an invoker can start', async () => {
    expect(await announced(await create({ Runtime: 'Php5.6', Handler: 'index.main_handler' }))).toMatchObject(
      {
        runtime: 'Php5.6',
      },
    );
    await expect(create({ Runtime: 'Cobol' })).rejects.toMatchObject({
      code: 'InvalidParameterValue.Runtime',
      message: expect.stringContaining('Nodejs20.19') as string,
    });
    registry.invokers.states = [
      invoker(['Nodejs22', 'Lua5.4'], {
        'Php5.6': 'no registry has PHP 5.6; an engine could pull php:5.6-cli',
      }),
    ];
    await create({ Runtime: 'Lua5.4' });
    await expect(create({ Runtime: 'Php5.6' })).rejects.toMatchObject({
      code: 'FailedOperation.CreateFunction',
      message: expect.stringContaining('an engine could pull php:5.6-cli') as string,
    });
    await expect(create({ Runtime: 'Go1', Handler: 'main' })).rejects.toMatchObject({
      code: 'FailedOperation.CreateFunction',
      message: expect.stringContaining('they have Lua5.4, Nodejs22') as string,
    });
  });

  it('need a handler in the form of their runtime, also later', async () => {
    const name = await create({ Runtime: 'Java21', Handler: 'example.Hello::handle' });
    const changed = (Handler: string) =>
      registry
        .upload(codeZip())
        .then((upload) =>
          registry.functions.updateFunctionCode(
            command({ FunctionName: name, ZipFile: '(streamed)', Handler }, upload),
          ),
        );
    await expect(changed('index.main_handler')).rejects.toMatchObject({
      code: 'InvalidParameterValue.Handler',
    });
    await changed('example.Hello::other');
    expect((await detail(name)).Handler).toBe('example.Hello::other');
  });

  it('can be of more functions than the vendor’s 50', async () => {
    await Promise.all(Array.from({ length: 55 }, () => create({})));
  });
});
