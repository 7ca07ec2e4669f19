import { createRequire } from 'node:module';
import { UnavailableError } from '@openscf/contracts';
import { refused, throttled } from '@openscf/dispatch';
import type { scf as Scf } from 'tencentcloud-sdk-nodejs-scf';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import {
  type FakeGateway,
  functionState,
  SECRET_ID,
  SECRET_KEY,
  startFakeGateway,
  succeeded,
} from './gateway.fake.js';

/** The vendor's own SDK, unmodified, against the gateway. It is CommonJS. */
const { scf } = createRequire(import.meta.url)('tencentcloud-sdk-nodejs-scf') as { scf: typeof Scf };
type Client = InstanceType<typeof scf.v20180416.Client>;

// Some bodies here have 70 MB.
vi.setConfig({ testTimeout: 60_000 });

let gateway: FakeGateway;
let client: Client;

function clientWith(secretId: string, secretKey: string): Client {
  return new scf.v20180416.Client({
    credential: { secretId, secretKey },
    region: 'ap-guangzhou',
    profile: { httpProfile: { endpoint: `127.0.0.1:${gateway.port}`, protocol: 'http://', reqTimeout: 60 } },
  });
}

async function refusal(
  promise: Promise<unknown>,
): Promise<{ code: string; message: string; requestId: string }> {
  try {
    await promise;
  } catch (error) {
    return error as { code: string; message: string; requestId: string };
  }
  throw new Error('was not refused');
}

beforeEach(async () => {
  gateway = await startFakeGateway();
  client = clientWith(SECRET_ID, SECRET_KEY);
});
afterEach(() => gateway.close());

const zip = Buffer.from('PK\u0003\u0004 as good as a zip');
const hello = {
  FunctionName: 'hello',
  Runtime: 'Nodejs20.19',
  Handler: 'index.main_handler',
  Code: { ZipFile: zip.toString('base64') },
  Environment: { Variables: [{ Key: 'GREETING', Value: '中文 1' }] },
};

describe('CreateFunction', () => {
  it('sends the zip to the object store and the rest to the registry, and waits until the change is seen', async () => {
    const stored: (Buffer | undefined)[] = [];
    gateway.reply = (_action, command) => {
      stored.push(gateway.store.objects.get(command.upload?.objectKey ?? ''));
      return {
        ok: true,
        response: {},
        written: [{ topic: 'openscf.functions', key: 'default/hello/$LATEST', revision: 1 }],
      };
    };
    const answer = await client.CreateFunction(hello);
    expect(answer.RequestId).toMatch(/^[0-9a-f-]{36}$/);
    const [sent] = gateway.commands;
    expect(sent).toMatchObject({
      service: 'function-registry',
      action: 'CreateFunction',
      command: {
        requestId: answer.RequestId,
        caller: { secretId: SECRET_ID, appId: '1250000000', uin: '100000000001' },
        request: { FunctionName: 'hello', Namespace: 'default', MemorySize: 128, Timeout: 3 },
        upload: { sizeBytes: zip.length },
      },
    });
    expect(stored[0]?.equals(zip)).toBe(true);
    expect(JSON.stringify(sent)).not.toContain(zip.toString('base64'));
    expect(gateway.functions.waitedFor).toEqual([{ key: 'default/hello/$LATEST', revision: 1 }]);
  });

  it('hands on what the registry refuses and leaves no upload', async () => {
    gateway.reply = () => ({ ok: false, code: 'ResourceInUse.Function', message: 'it exists' });
    expect(await refusal(client.CreateFunction(hello))).toMatchObject({
      code: 'ResourceInUse.Function',
      message: 'it exists',
    });
    expect(gateway.store.objects.size).toBe(0);
  });

  it('leaves no upload when Kafka is away', async () => {
    gateway.reply = () => Promise.reject(new UnavailableError('Kafka is away'));
    expect(await refusal(client.CreateFunction(hello))).toMatchObject({
      code: 'InternalError.System',
      message: 'Kafka is away',
    });
    expect(gateway.store.objects.size).toBe(0);
  });

  it.each([
    [{ FunctionName: '1bad' }, 'InvalidParameterValue.FunctionName'],
    [{ Code: {} }, 'MissingParameter.Code'],
    [{ Code: { ZipFile: '' } }, 'InvalidParameterValue.ZipFile'],
    [{ Code: { ZipFile: 'no base64!' } }, 'InvalidParameterValue.ZipFileBase64BinasciiError'],
    [{ MemorySize: 99_999 }, 'LimitExceeded.Memory'],
  ])('refuses %j, and nothing gets to the registry', async (change, code) => {
    expect((await refusal(client.CreateFunction({ ...hello, ...change }))).code).toBe(code);
    expect(gateway.commands).toEqual([]);
    expect(gateway.store.objects.size).toBe(0);
  });

  it('streams a zip of several MB', async () => {
    const large = Buffer.alloc(9 * 1024 * 1024, 'zip-');
    let sha256 = '';
    gateway.reply = (_action, { upload }) => {
      sha256 = upload?.sha256 ?? '';
      expect(gateway.store.objects.get(upload?.objectKey ?? '')?.equals(large)).toBe(true);
      return { ok: true, response: {}, written: [] };
    };
    await client.UpdateFunctionCode({ FunctionName: 'hello', ZipFile: large.toString('base64') });
    expect(sha256).toMatch(/^[0-9a-f]{64}$/);
  });

  it('refuses 51 MB early, and the client gets to read why', async () => {
    const large = Buffer.alloc(51 * 1024 * 1024, 'zip-').toString('base64');
    const refused51 = await refusal(client.CreateFunction({ ...hello, Code: { ZipFile: large } }));
    expect(refused51.code).toBe('RequestSizeLimitExceeded');
    expect(refused51.requestId).toMatch(/^[0-9a-f-]{36}$/);
    expect(gateway.store.objects.size).toBe(0);
  });

  it('refuses 21 MB in an update while it arrives', async () => {
    const large = Buffer.alloc(20 * 1024 * 1024 + 1, 'zip-').toString('base64');
    const error = await refusal(
      client.UpdateFunctionCode({ FunctionName: 'hello', Code: { ZipFile: large } }),
    );
    expect(error.code).toBe('RequestSizeLimitExceeded');
    expect([gateway.store.objects.size, gateway.store.abandoned]).toEqual([0, 1]);
  });
});

describe('the actions on versions, layers and concurrency', () => {
  it('send the zip of a layer to the object store and the rest to the registry', async () => {
    let stored: Buffer | undefined;
    gateway.reply = (_action, { upload }) => {
      stored = gateway.store.objects.get(upload?.objectKey ?? '');
      return { ok: true, response: { LayerVersion: 1 }, written: [] };
    };
    const answer = await client.PublishLayerVersion({
      LayerName: 'tools',
      CompatibleRuntimes: ['Nodejs20.19'],
      Content: { ZipFile: zip.toString('base64') },
    });
    expect(answer.LayerVersion).toBe(1);
    expect(stored?.equals(zip)).toBe(true);
    expect(JSON.stringify(gateway.commands)).not.toContain(zip.toString('base64'));
  });

  it.each<[string, () => Promise<unknown>]>([
    ['PublishVersion', () => client.PublishVersion({ FunctionName: 'hello' })],
    ['ListVersionByFunction', () => client.ListVersionByFunction({ FunctionName: 'hello' })],
    ['DeleteFunctionVersion', () => client.DeleteFunctionVersion({ FunctionName: 'hello', Qualifier: '1' })],
    [
      'PutReservedConcurrencyConfig',
      () => client.PutReservedConcurrencyConfig({ FunctionName: 'hello', ReservedConcurrencyMem: 128 }),
    ],
    ['GetReservedConcurrencyConfig', () => client.GetReservedConcurrencyConfig({ FunctionName: 'hello' })],
    [
      'PutProvisionedConcurrencyConfig',
      () =>
        client.PutProvisionedConcurrencyConfig({
          FunctionName: 'hello',
          Qualifier: '1',
          VersionProvisionedConcurrencyNum: 1,
        }),
    ],
    [
      'GetProvisionedConcurrencyConfig',
      () => client.GetProvisionedConcurrencyConfig({ FunctionName: 'hello' }),
    ],
    ['GetAccount', () => client.GetAccount()],
    ['ListLayers', () => client.ListLayers({})],
  ])('hand %s on to the registry', async (action, call) => {
    await call();
    expect(gateway.commands).toMatchObject([{ service: 'function-registry', action }]);
  });
});

describe('Invoke and InvokeFunction', () => {
  it('call a published version by its number, and say when there is none', async () => {
    const first = functionState({ version: '1', revision: 7 });
    gateway.functions.set('default/hello/1', first);
    const seen: unknown[] = [];
    gateway.dispatch = (call) => {
      seen.push([call.functionKey, call.revision, call.qualifier, typeof call.acceptedAt]);
      return succeeded('1');
    };
    await client.InvokeFunction({ FunctionName: 'hello', Qualifier: '1' });
    await client.Invoke({ FunctionName: 'hello', Qualifier: '1' });
    await client.InvokeFunction({ FunctionName: 'hello' });
    expect(seen).toEqual([
      ['default/hello/1', 7, '1', 'number'],
      ['default/hello/1', 7, '1', 'number'],
      ['default/hello/$LATEST', 1, '$DEFAULT', 'number'],
    ]);
    expect(await refusal(client.InvokeFunction({ FunctionName: 'hello', Qualifier: '2' }))).toMatchObject({
      code: 'ResourceNotFound.FunctionVersion',
    });
    gateway.functions.set('default/hello/1', { ...first, status: 'Deleting' });
    expect(await refusal(client.InvokeFunction({ FunctionName: 'hello', Qualifier: '1' }))).toMatchObject({
      message: expect.stringContaining('Version 1 of the function "hello" has the status Deleting') as string,
    });
  });

  it('answer what the function returned', async () => {
    const seen: unknown[] = [];
    const { dispatch } = gateway;
    gateway.dispatch = (call, event) => {
      seen.push(call);
      return dispatch(call, event);
    };
    const { Result, RequestId } = await client.InvokeFunction({
      FunctionName: 'hello',
      Event: '{"key":"v"}',
    });
    expect(Result).toEqual({
      RetMsg: '{"key":"v"}',
      ErrMsg: '',
      Log: '',
      MemUsage: 3_207_168,
      Duration: 0.826,
      BillDuration: 1,
      InvokeResult: 0,
      FunctionRequestId: RequestId,
    });
    await client.Invoke({ FunctionName: 'hello', LogType: 'Tail' });
    expect(seen).toMatchObject([
      { functionKey: 'default/hello/$LATEST', qualifier: '$DEFAULT', logTail: false, revision: 1 },
      { functionKey: 'default/hello/$LATEST', qualifier: '$LATEST', logTail: true, source: 'cloud-api' },
    ]);
  });

  it('answer the function’s own failure as a result', async () => {
    const errorJson = '{"errorCode":-1,"errorMessage":"user code exception caught","statusCode":430}';
    const usage = { durationMs: 3, billedMs: 3, memoryBytes: 1, log: 'ERROR' };
    gateway.dispatch = () => ({
      outcome: { kind: 'failed', statusCode: 430, message: 'Error: no', ...usage },
      body: Buffer.from(errorJson),
    });
    const { Result } = await client.InvokeFunction({ FunctionName: 'hello' });
    expect(Result).toMatchObject({ InvokeResult: 1, RetMsg: errorJson, ErrMsg: 'Error: no', Log: 'ERROR' });
  });

  it('throw when nothing has run, and say so in a result when something may have', async () => {
    gateway.dispatch = () => throttled('Function [hello] concurrency exceeded');
    const full = await refusal(client.InvokeFunction({ FunctionName: 'hello' }));
    expect(full).toMatchObject({ code: 'LimitExceeded.Quota', message: expect.stringContaining('432') });
    gateway.dispatch = () => refused('no invoker is available', { retryable: true });
    expect((await refusal(client.Invoke({ FunctionName: 'hello' }))).code).toBe('InternalError.System');
    gateway.dispatch = () => refused('the invoker was lost', { retryable: false });
    const { Result } = await client.Invoke({ FunctionName: 'hello' });
    expect(Result).toMatchObject({ InvokeResult: -1, RetMsg: 'the invoker was lost' });
  });

  it('refuse what cannot be called', async () => {
    gateway.functions.set(
      'default/making/$LATEST',
      functionState({ functionName: 'making', status: 'Creating' }),
    );
    gateway.functions.set('default/web/$LATEST', functionState({ functionName: 'web', type: 'HTTP' }));
    const cases: [Parameters<Client['Invoke']>[0], string][] = [
      [{ FunctionName: 'other' }, 'ResourceNotFound.Function'],
      [{ FunctionName: 'hello', Namespace: 'other' }, 'ResourceNotFound.Function'],
      [{ FunctionName: 'hello', Qualifier: '7' }, 'ResourceNotFound.FunctionVersion'],
      [{ FunctionName: 'hello', Qualifier: 'prod' }, 'ResourceNotFound.Qualifier'],
      [{ FunctionName: 'making' }, 'FailedOperation.FunctionStatusError'],
      [{ FunctionName: 'web' }, 'InvalidParameterValue.FunctionType'],
      [{ FunctionName: '-' }, 'InvalidParameter.FunctionName'],
      [{ FunctionName: 'hello', ClientContext: '{' }, 'InvalidParameterValue.Param'],
      [{ FunctionName: 'hello', InvocationType: 'Later' }, 'InvalidParameterValue.Param'],
      [
        { FunctionName: 'hello', ClientContext: JSON.stringify('x'.repeat(6 * 1024 * 1024)) },
        'InvalidParameter.RequestTooLarge',
      ],
      [
        { FunctionName: 'hello', ClientContext: JSON.stringify('x'.repeat(14 * 1024 * 1024)) },
        'InvalidParameter.RequestTooLarge',
      ],
    ];
    for (const [request, code] of cases) expect((await refusal(client.Invoke(request))).code).toBe(code);
  });

  it('take an event of 6 MB that is full of quotes', async () => {
    const event = JSON.stringify(['"'.repeat(1024 * 1024), 'x'.repeat(4 * 1024 * 1024 - 7)]);
    expect(Buffer.byteLength(event)).toBe(6 * 1024 * 1024);
    gateway.dispatch = (_call, bytes) => ({ ...succeededWith(String(bytes.length)) });
    const { Result } = await client.InvokeFunction({ FunctionName: 'hello', Event: event });
    expect(Result?.RetMsg).toBe(String(6 * 1024 * 1024));
  });
});

function succeededWith(body: string) {
  const usage = { durationMs: 1, billedMs: 1, memoryBytes: 1, log: '' };
  return {
    outcome: { kind: 'succeeded' as const, statusCode: 200 as const, ...usage },
    body: Buffer.from(body),
  };
}

describe('an async Invoke', () => {
  const request = { FunctionName: 'hello', InvocationType: 'Event', ClientContext: '{"a":1}' };

  it('is answered once its event is stored', async () => {
    const events: unknown[] = [];
    gateway.publish = (event) => Promise.resolve(void events.push(event));
    const { Result, RequestId } = await client.Invoke(request);
    expect(Result).toMatchObject({ FunctionRequestId: RequestId, RetMsg: '', InvokeResult: 0, Duration: 0 });
    expect(events).toMatchObject([
      { requestId: RequestId, functionName: 'hello', event: '{"a":1}', qualifier: '$LATEST' },
    ]);
  });

  it('is never accepted when its event is not stored', async () => {
    gateway.publish = () => Promise.reject(new UnavailableError('Kafka does not answer'));
    expect(await refusal(client.Invoke(request))).toMatchObject({
      code: 'InternalError.System',
      message: 'Kafka does not answer',
    });
  });

  it('may carry 128 KB', async () => {
    const ClientContext = JSON.stringify('x'.repeat(128 * 1024 - 1));
    expect((await refusal(client.Invoke({ ...request, ClientContext }))).code).toBe(
      'InvalidParameter.RequestTooLarge',
    );
  });
});

describe('a key', () => {
  const request = { FunctionName: 'hello' };

  it('that is not known, is wrong or switched off is refused', async () => {
    const stranger = clientWith('AKIDNOBODY', SECRET_KEY);
    expect((await refusal(stranger.InvokeFunction(request))).code).toBe('AuthFailure.SecretIdNotFound');
    const forger = clientWith(SECRET_ID, 'SKOTHER');
    expect((await refusal(forger.InvokeFunction(request))).code).toBe('AuthFailure.SignatureFailure');
    await client.InvokeFunction(request);
    const state = gateway.credentials.get(SECRET_ID);
    if (state) gateway.credentials.set(SECRET_ID, { ...state, enabled: false });
    expect((await refusal(client.InvokeFunction(request))).code).toBe('AuthFailure.UnauthorizedOperation');
  });

  it('is refused with a clock that is off by 6 minutes', async () => {
    for (const minutes of [6, -6]) {
      gateway.clockOffsetMs = minutes * 60_000;
      expect((await refusal(client.InvokeFunction(request))).code).toBe('AuthFailure.SignatureExpire');
    }
  });

  it('that signed wrongly leaves no upload, small or large', async () => {
    const forger = clientWith(SECRET_ID, 'SKOTHER');
    for (const size of [10, 9 * 1024 * 1024]) {
      const ZipFile = Buffer.alloc(size, 'zip-').toString('base64');
      expect((await refusal(forger.CreateFunction({ ...hello, Code: { ZipFile } }))).code).toBe(
        'AuthFailure.SignatureFailure',
      );
    }
    expect(gateway.store.objects.size).toBe(0);
    expect(gateway.commands).toEqual([]);
  });
});

it('an answer of another service comes through', async () => {
  gateway.reply = () => ({ ok: true, response: { TotalCount: 0, Data: [] }, written: [] });
  const answer = await client.GetRequestStatus({ FunctionName: 'hello', FunctionRequestId: 'r' });
  expect(answer).toMatchObject({ TotalCount: 0, Data: [] });
  expect(gateway.commands[0]?.service).toBe('log');
});
