import { CallerError } from '@openscf/contracts';
import { describe, expect, it } from 'vitest';
import { type ActionName, actions } from './action.table.js';
import { ZIP_TAKEN_OUT } from './code.schema.js';
import { mergeTriggerDesc, parseHttpDesc } from './trigger-desc.schema.js';
import { parseShape } from './parse-request.js';

/** The shapes of what instances have and serve: types, runtimes, layers, images, concurrency, function URLs. */

function refusalOf(read: () => unknown): { code: string; message: string } {
  try {
    read();
  } catch (error) {
    if (error instanceof CallerError) return { code: error.code, message: error.message };
    throw error;
  }
  throw new Error('was taken');
}

const refusal = (action: ActionName, request: unknown) =>
  refusalOf(() => parseShape(actions[action].request, request));

const zip = { Code: { ZipFile: ZIP_TAKEN_OUT } };
const event = { FunctionName: 'hello', Runtime: 'Nodejs20.19', Handler: 'index.main_handler', ...zip };
const web = { FunctionName: 'web', Runtime: 'Python3.11', Type: 'HTTP', ...zip };
const image = (config: object) => ({
  Code: { ImageConfig: { ImageUri: 'ccr.example.com/ns/app:1', ...config } },
});
const create = (request: object) => parseShape(actions.CreateFunction.request, request);

describe('handlers', () => {
  it.each([
    ['Python3.7', 'src/index.main_handler'],
    ['Php8.0', 'index.main_handler'],
    ['Java11', 'example.Hello::mainHandler'],
    ['Java21', 'Hello::handle'],
    ['Go1', 'main'],
    ['CustomRuntime', ''],
    ['CustomRuntime', 'whatever.I/like'],
  ])('of %s can be %j', (Runtime, Handler) => {
    expect(create({ ...event, Runtime, Handler })).toMatchObject({ Runtime, Handler });
  });

  it.each([
    ['Java11', 'index.main_handler', '<package>.<Class>::<method>'],
    ['Go1', '../main', 'the name of the program'],
    ['CustomRuntime', 'two words', 'without spaces'],
  ])('of %s cannot be %j', (Runtime, Handler, accepts) => {
    const { code, message } = refusal('CreateFunction', { ...event, Runtime, Handler });
    expect(code).toBe('InvalidParameterValue.Handler');
    expect(message).toContain(accepts);
  });

  it('are not needed for web functions and images', () => {
    expect(create(web).Handler).toBe('');
    expect(create({ FunctionName: 'hello', ...image({}) })).toMatchObject({
      Runtime: 'CustomImage',
      Handler: '',
      InitTimeout: 90,
    });
  });
});

describe('CreateFunction', () => {
  it.each<[string, object, string, string]>([
    ['a runtime for an image', { ...event, ...image({}) }, 'InvalidParameterValue.Runtime', 'CustomImage'],
    [
      'no image for its runtime',
      { ...event, Runtime: 'CustomImage' },
      'InvalidParameterValue.Runtime',
      'ImageConfig',
    ],
    [
      'an image and a zip',
      { ...web, Code: { ...zip.Code, ...image({}).Code } },
      'InvalidParameterValue.Code',
      'ZipFile',
    ],
    [
      'an image without a domain',
      { FunctionName: 'ff', ...image({ ImageUri: 'nginx' }) },
      'InvalidParameterValue.ImageUri',
      '"nginx"',
    ],
    [
      'an image with an option',
      { FunctionName: 'ff', ...image({ ImageUri: '--help/x' }) },
      'InvalidParameterValue.ImageUri',
      '"--help/x"',
    ],
    [
      'another port',
      { FunctionName: 'ff', ...image({ ImagePort: 80 }) },
      'InvalidParameterValue.Port',
      '9000',
    ],
    [
      'a web job',
      { FunctionName: 'ff', Type: 'HTTP', ...image({ ImagePort: -1 }) },
      'InvalidParameterValue.Port',
      '-1',
    ],
    [
      'WebSocket for events',
      { ...event, ProtocolType: 'WS' },
      'InvalidParameterValue.ProtocolType',
      'Type HTTP',
    ],
    ['another protocol', { ...web, ProtocolType: 'gRPC' }, 'InvalidParameterValue.ProtocolType', '"gRPC"'],
    [
      'an idle time without WebSocket',
      { ...web, ProtocolParams: { WSParams: { IdleTimeOut: 9 } } },
      'InvalidParameterValue.WebSocketsParams',
      'ProtocolType WS',
    ],
    [
      'too long an idle time',
      { ...web, ProtocolType: 'WS', ProtocolParams: { WSParams: { IdleTimeOut: 1801 } } },
      'InvalidParameterValue.IdleTimeOut',
      '1801',
    ],
    [
      'requests at once for events',
      { ...event, InstanceConcurrencyConfig: { MaxConcurrency: 2 } },
      'InvalidParameterValue.InstanceConcurrencyConfig',
      'Type HTTP',
    ],
    [
      'too many requests at once',
      { ...web, InstanceConcurrencyConfig: { MaxConcurrency: 101 } },
      'InvalidParameterValue.MaxConcurrency',
      '101',
    ],
    [
      'dynamic concurrency',
      { ...web, InstanceConcurrencyConfig: { DynamicEnabled: 'TRUE' } },
      'InvalidParameterValue.DynamicEnabled',
      '"TRUE"',
    ],
    [
      'six layers',
      { ...event, Layers: Array.from({ length: 6 }, (_, i) => ({ LayerName: `l${i}`, LayerVersion: 1 })) },
      'InvalidParameterValue.Layers',
      'at most 5',
    ],
    [
      'a layer twice',
      { ...event, Layers: [1, 2].map((LayerVersion) => ({ LayerName: 'l', LayerVersion })) },
      'InvalidParameterValue.Layers',
      'twice',
    ],
    [
      'a directory elsewhere',
      { ...event, CfsConfig: { CfsInsList: [{ CfsId: 'a', LocalMountDir: '/mnt/../etc' }] } },
      'InvalidParameterValue',
      'below /mnt',
    ],
    ...['0', '4294967295', 'root', '01', '-1'].map((UserId): [string, object, string, string] => [
      `the user ${UserId} of a directory`,
      { ...event, CfsConfig: { CfsInsList: [{ CfsId: 'a', LocalMountDir: '/mnt/a', UserId }] } },
      'InvalidParameterValue',
      'UserId',
    ]),
    [
      'directories in each other',
      {
        ...event,
        CfsConfig: {
          CfsInsList: ['/mnt/a', '/mnt/a/b'].map((LocalMountDir) => ({ CfsId: 'a', LocalMountDir })),
        },
      },
      'InvalidParameterValue',
      '"/mnt/a/b"',
    ],
  ])('refuses %s', (_what, request, code, part) => {
    const refused = refusal('CreateFunction', request);
    expect(refused.code).toBe(code);
    expect(refused.message).toContain(part);
  });
});

describe('provisioned concurrency', () => {
  const put = { FunctionName: 'hello', Qualifier: '1', VersionProvisionedConcurrencyNum: 0 };
  const tracking = {
    ProvisionedType: 'ConcurrencyUtilizationTracking',
    TrackingTarget: 0.6,
    MinCapacity: 1,
    MaxCapacity: 5,
  };
  const action = {
    TriggerName: 'a',
    TriggerProvisionedConcurrencyNum: 1,
    TriggerCronConfig: '0 0 8 * * * *',
  };

  it('takes tracking, and ignores the zeros that clients send without it', () => {
    const { request } = actions.PutProvisionedConcurrencyConfig;
    expect(parseShape(request, { ...put, ...tracking })).toMatchObject(tracking);
    const zeros = { TrackingTarget: 0, MinCapacity: 0, MaxCapacity: 0, ProvisionedType: '' };
    expect(parseShape(request, { ...put, ...zeros }).ProvisionedType).toBe('Default');
  });

  it.each<[string, object, string]>([
    ['$LATEST', { Qualifier: '$LATEST' }, 'InvalidParameterValue.Qualifier'],
    ['half an instance', { VersionProvisionedConcurrencyNum: 0.5 }, 'InvalidParameterValue'],
    ['a target of 1', { ...tracking, TrackingTarget: 1 }, 'InvalidParameterValue.TrackingTarget'],
    ['no least capacity', { ...tracking, MinCapacity: 0 }, 'InvalidParameterValue.MinCapacity'],
    ['a most below the least', { ...tracking, MinCapacity: 9 }, 'LimitExceeded.MaxCapacity'],
    [
      'tracking with actions',
      { ...tracking, TriggerActions: [action] },
      'InvalidParameterValue.ProvisionType',
    ],
    [
      'two actions of a name',
      { TriggerActions: [action, { ...action, TriggerCronConfig: '1 0 8 * * * *' }] },
      'InvalidParameterValue.ProvisionTriggerNameDuplicate',
    ],
    [
      'two actions of a time',
      { TriggerActions: [action, { ...action, TriggerName: 'b' }] },
      'InvalidParameterValue.ProvisionTriggerCronConfigDuplicate',
    ],
  ])('refuses %s', (_what, change, code) => {
    expect(refusal('PutProvisionedConcurrencyConfig', { ...put, ...change }).code).toBe(code);
  });
});

describe('function URLs', () => {
  it('read their description, with what is left out', () => {
    expect(parseHttpDesc('{"AuthType":"NONE"}')).toEqual({
      AuthType: 'NONE',
      NetConfig: { EnableIntranet: false, EnableExtranet: true },
      CorsConfig: undefined,
    });
  });

  it.each<[string, string, string]>([
    ['no way to authenticate', '{}', 'TriggerDesc.AuthType is missing'],
    ['another way', '{"AuthType":"JWT"}', 'NONE, CAM'],
    ['no network', '{"AuthType":"NONE","NetConfig":{"EnableExtranet":false}}', 'must be true'],
    ['CORS for nobody', '{"AuthType":"NONE","CorsConfig":{"Enable":true}}', 'Origins'],
    [
      'a path as origin',
      '{"AuthType":"NONE","CorsConfig":{"Enable":true,"Origins":["https://a.b/c"]}}',
      'https://a.b/c',
    ],
    [
      'a header with a line end',
      '{"AuthType":"NONE","CorsConfig":{"Headers":["a\\r\\nb"]}}',
      'the name of a header',
    ],
  ])('refuse %s', (_what, desc, part) => {
    expect(refusalOf(() => parseHttpDesc(desc)).message).toContain(part);
  });

  it('are changed in part', () => {
    const before = '{"AuthType":"NONE","CorsConfig":{"Enable":true,"Origins":["*"],"MaxAge":5}}';
    const merged = mergeTriggerDesc('http', before, '{"CorsConfig":{"Origins":["https://a.b"]}}');
    expect(JSON.parse(merged)).toEqual({
      AuthType: 'NONE',
      CorsConfig: { Enable: true, Origins: ['https://a.b'], MaxAge: 5 },
    });
  });
});

describe('layers', () => {
  const layer = { LayerName: 'deps', CompatibleRuntimes: ['Nodejs22'], Content: { ZipFile: ZIP_TAKEN_OUT } };
  it.each<[string, object, string]>([
    ['a name with a dot', { LayerName: 'a.b' }, 'InvalidParameterValue.LayerName'],
    ['no runtime', { CompatibleRuntimes: [] }, 'InvalidParameterValue.CompatibleRuntimes'],
    ['no content', { Content: {} }, 'MissingParameter.Code'],
    ['content from a bucket', { Content: { CosBucketName: 'b' } }, 'InvalidParameterValue.Content'],
  ])('refuse %s', (_what, change, code) => {
    expect(refusal('PublishLayerVersion', { ...layer, ...change }).code).toBe(code);
  });
});
