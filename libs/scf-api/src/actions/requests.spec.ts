import { CallerError } from '@openscf/contracts';
import { describe, expect, it } from 'vitest';
import { type ActionName, actions } from './action.table.js';
import { ZIP_TAKEN_OUT } from './code.schema.js';
import { parseShape } from './parse-request.js';

const goodCreate = {
  FunctionName: 'hello',
  Runtime: 'Nodejs20.19',
  Handler: 'index.main_handler',
  Code: { ZipFile: ZIP_TAKEN_OUT },
};

function refusal(action: ActionName, request: unknown): { code: string; message: string } {
  try {
    parseShape(actions[action].request, request);
  } catch (error) {
    if (error instanceof CallerError) return { code: error.code, message: error.message };
    throw error;
  }
  throw new Error(`${action} took ${JSON.stringify(request)}`);
}

const variables = (list: [string, string][]) => ({
  Environment: { Variables: list.map(([Key, Value]) => ({ Key, Value })) },
});

describe('CreateFunction', () => {
  it('fills in what SCF fills in', () => {
    const request = parseShape(actions.CreateFunction.request, goodCreate);
    expect(request).toMatchObject({
      Namespace: 'default',
      Type: 'Event',
      MemorySize: 128,
      Timeout: 3,
      InitTimeout: 65,
      Description: '',
    });
    expect(request.Environment).toBeUndefined();
  });

  it('ignores fields that it does not know, and the empty settings that tools send', () => {
    const request = parseShape(actions.CreateFunction.request, {
      ...goodCreate,
      DeployMode: 'code',
      VpcConfig: { VpcId: '', SubnetId: '' },
      Layers: [{ LayerName: '', LayerVersion: 0 }],
      CfsConfig: { CfsInsList: [] },
      AsyncRunEnable: 'FALSE',
      DeadLetterConfig: null,
      Description: null,
    });
    expect(request).not.toHaveProperty('DeployMode');
    expect(request.Description).toBe('');
  });

  it.each<[string, object, string, string]>([
    ['no name', { FunctionName: undefined }, 'MissingParameter', 'FunctionName is missing.'],
    [
      'a name that starts with a digit',
      { FunctionName: '1bad' },
      'InvalidParameterValue.FunctionName',
      '"1bad"',
    ],
    [
      'a name that ends with a dash',
      { FunctionName: 'bad-' },
      'InvalidParameterValue.FunctionName',
      '"bad-"',
    ],
    ['a name of one letter', { FunctionName: 'b' }, 'InvalidParameterValue.FunctionName', '2 to 60'],
    ['a name of 61', { FunctionName: 'b'.repeat(61) }, 'InvalidParameterValue.FunctionName', '2 to 60'],
    ['a name with a path', { FunctionName: '../x' }, 'InvalidParameterValue.FunctionName', '"../x"'],
    ['a namespace with a slash', { Namespace: 'a/b' }, 'InvalidParameterValue.Namespace', '"a/b"'],
    ['no runtime', { Runtime: undefined }, 'MissingParameter.Runtime', 'Runtime is missing.'],
    ['what is no runtime', { Runtime: 'node 20' }, 'InvalidParameterValue.Runtime', 'Nodejs20.19'],
    ['no handler', { Handler: undefined }, 'MissingParameter', 'Handler is missing.'],
    [
      'a handler without a function',
      { Handler: 'index' },
      'InvalidParameterValue.Handler',
      'index.main_handler',
    ],
    ['a handler outside', { Handler: '../x.y' }, 'InvalidParameterValue.Handler', '"../x.y"'],
    ['no code', { Code: undefined }, 'MissingParameter.Code', 'Code.ZipFile is missing.'],
    [
      'code from a bucket',
      { Code: { CosBucketName: 'b' } },
      'InvalidParameterValue.Code',
      'Code.CosBucketName',
    ],
    ['a type of its own', { Type: 'Web' }, 'InvalidParameterValue.Type', '"Web"'],
    ['too much memory', { MemorySize: 4096 }, 'LimitExceeded.Memory', 'steps of 128'],
    ['memory beside the steps', { MemorySize: 200 }, 'InvalidParameterValue.MemorySize', '200'],
    ['memory as text', { MemorySize: '128' }, 'InvalidParameterValue.MemorySize', '"128"'],
    ['too long a time-out', { Timeout: 901 }, 'LimitExceeded.Timeout', '1 to 900'],
    ['a time-out of 0', { Timeout: 0 }, 'LimitExceeded.Timeout', '1 to 900'],
    ['too long an initialization', { InitTimeout: 301 }, 'LimitExceeded.InitTimeout', '3 to 300'],
    [
      'too long a description',
      { Description: 'x'.repeat(1001) },
      'InvalidParameterValue.Description',
      '1000',
    ],
    [
      'a reserved key',
      variables([['SCF_X', '1']]),
      'InvalidParameterValue.EnvironmentSystemProtect',
      '"SCF_X"',
    ],
    ['a key with a dash', variables([['A-B', '1']]), 'InvalidParameterValue.Environment', '"A-B"'],
    [
      'a key twice',
      variables([
        ['AB', '1'],
        ['AB', '2'],
      ]),
      'InvalidParameterValue.Environment',
      'twice',
    ],
    [
      '4 KB of environment',
      variables([['AB', 'x'.repeat(4095)]]),
      'InvalidParameterValue.EnvironmentExceededLimit',
      '4097',
    ],
    ['an async function', { AsyncRunEnable: 'TRUE' }, 'UnsupportedOperation', 'AsyncRunEnable'],
  ])('refuses %s', (_what, change, code, part) => {
    const refused = refusal('CreateFunction', { ...goodCreate, ...change });
    expect(refused.code).toBe(code);
    expect(refused.message).toContain(part);
  });

  it('keeps the values of variables out of its messages', () => {
    const hidden = 'hunter2\0';
    expect(
      refusal('CreateFunction', { ...goodCreate, ...variables([['AB', hidden]]) }).message,
    ).not.toContain('hunter2');
    const typed = { Environment: { Variables: [{ Key: 'AB', Value: { secret: 'hunter2' } }] } };
    expect(refusal('CreateFunction', { ...goodCreate, ...typed }).message).not.toContain('hunter2');
  });
});

describe('UpdateFunctionConfiguration', () => {
  it('leaves out what was not said, and clears variables in SCF’s way', () => {
    const { request } = actions.UpdateFunctionConfiguration;
    const silent = parseShape(request, { FunctionName: 'hello', Runtime: 'Cobol' });
    const said = { FunctionName: 'hello', Namespace: 'default', Publish: 'FALSE' };
    expect(JSON.parse(JSON.stringify(silent))).toEqual(said);
    expect(parseShape(request, { FunctionName: 'hello', ...variables([['', '']]) }).Environment).toEqual({
      Variables: [],
    });
    expect(parseShape(request, { FunctionName: 'hello', ...variables([]) }).Environment).toEqual({
      Variables: [],
    });
    expect(
      parseShape(request, { FunctionName: 'hello', Environment: {} }).Environment?.Variables,
    ).toBeUndefined();
  });
});

describe('UpdateFunctionCode', () => {
  it('takes the zip at the top or in Code', () => {
    const { request } = actions.UpdateFunctionCode;
    expect(parseShape(request, { FunctionName: 'hello', ZipFile: ZIP_TAKEN_OUT }).ZipFile).toBe(
      ZIP_TAKEN_OUT,
    );
    expect(
      parseShape(request, { FunctionName: 'hello', Code: { ZipFile: ZIP_TAKEN_OUT } }).Code?.ZipFile,
    ).toBe(ZIP_TAKEN_OUT);
    expect(refusal('UpdateFunctionCode', { FunctionName: 'hello' }).code).toBe('MissingParameter.Code');
  });
});

describe('the other actions', () => {
  it.each<[ActionName, object, string]>([
    ['ListFunctions', { Limit: -1 }, 'InvalidParameterValue.Limit'],
    ['ListFunctions', { Offset: 1.5 }, 'InvalidParameterValue.Offset'],
    ['ListFunctions', { Order: 'up' }, 'InvalidParameterValue.Order'],
    ['ListFunctions', { Orderby: 'Size' }, 'InvalidParameterValue.OrderBy'],
    ['Invoke', { FunctionName: '' }, 'InvalidParameter.FunctionName'],
    ['Invoke', { FunctionName: 'hello', InvocationType: 'Later' }, 'InvalidParameterValue.Param'],
    ['InvokeFunction', { FunctionName: 'hello', LogType: 'All' }, 'InvalidParameterValue.Param'],
    ['InvokeFunction', { FunctionName: 'hello', Qualifier: 'a/b' }, 'InvalidParameterValue.Qualifier'],
    ['GetFunctionLogs', { FunctionName: 'hello', Offset: 9_990, Limit: 20 }, 'LimitExceeded.Offset'],
    ['GetFunctionLogs', { FunctionName: 'hello', StartTime: 'today' }, 'InvalidParameterValue.DateTime'],
    [
      'GetFunctionLogs',
      { FunctionName: 'hello', StartTime: '2026-01-01 00:00:00', EndTime: '2026-01-03 00:00:00' },
      'InvalidParameterValue.StartTimeOrEndTime',
    ],
    ['GetRequestStatus', { FunctionName: 'hello' }, 'MissingParameter'],
    [
      'CreateTrigger',
      { FunctionName: 'hello', TriggerName: 't', Type: 'smtp' },
      'InvalidParameterValue.Type',
    ],
    [
      'CreateTrigger',
      { FunctionName: 'hello', TriggerName: 'a b', Type: 'timer' },
      'InvalidParameterValue.TriggerName',
    ],
    [
      'UpdateTriggerStatus',
      { FunctionName: 'hello', TriggerName: 't', Type: 'timer', Enable: 1 },
      'InvalidParameterValue.Enable',
    ],
    ['DeleteTrigger', { FunctionName: 'hello', Type: 'timer' }, 'MissingParameter'],
    ['GetFunction', [], 'InvalidParameter'],
  ])('%s refuses %j', (action, request, code) => {
    expect(refusal(action, request).code).toBe(code);
  });

  it('reads times as UTC', () => {
    const { request } = actions.GetRequestStatus;
    const read = parseShape(request, {
      FunctionName: 'hello',
      FunctionRequestId: 'r',
      StartTime: '2026-11-22 00:00:01',
      EndTime: '',
    });
    expect(read.StartTime).toBe(Date.UTC(2026, 10, 22, 0, 0, 1));
    expect(read.EndTime).toBeUndefined();
  });

  it('can be read again as they were read: gateway and owner both do', () => {
    const samples: [ActionName, object][] = [
      ['CreateFunction', { ...goodCreate, ...variables([['AB', '1']]) }],
      ['UpdateFunctionConfiguration', { FunctionName: 'hello', ...variables([['', '']]) }],
      [
        'GetFunctionLogs',
        { FunctionName: 'hello', StartTime: '2026-11-22 00:00:01', Order: 'asc', SearchContext: null },
      ],
      [
        'CreateFunction',
        {
          FunctionName: 'web',
          Type: 'HTTP',
          Code: {
            ImageConfig: { ImageType: 'personal', ImageUri: 'localhost:5000/a/b:1', Args: '-u app.py' },
          },
          Layers: [{ LayerName: '', LayerVersion: 0 }],
          CfsConfig: { CfsInsList: [{ CfsId: 'data', LocalMountDir: '/mnt/data' }] },
          InstanceConcurrencyConfig: { DynamicEnabled: 'FALSE', MaxConcurrency: 10 },
          ProtocolType: 'WS',
          ProtocolParams: { WSParams: { IdleTimeOut: 60 } },
        },
      ],
      [
        'UpdateFunctionConfiguration',
        { FunctionName: 'web', InstanceConcurrencyConfig: { DynamicEnabled: '' }, Publish: true },
      ],
      ['DeleteFunctionVersion', { FunctionName: 'hello', Qualifier: '2', ForceDelete: 'TRUE' }],
      [
        'PutProvisionedConcurrencyConfig',
        { FunctionName: 'hello', Qualifier: '1', VersionProvisionedConcurrencyNum: 2, TriggerActions: null },
      ],
      [
        'PublishLayerVersion',
        { LayerName: 'l', CompatibleRuntimes: ['Nodejs22'], Content: { ZipFile: ZIP_TAKEN_OUT } },
      ],
      ['UpdateTrigger', { FunctionName: 'hello', TriggerName: 't', Type: 'http', Enable: 'CLOSE' }],
      ['ListFunctions', { Filters: [{ Name: 'Status', Values: ['Active'] }] }],
      [
        'CreateTrigger',
        { FunctionName: 'hello', TriggerName: 't', Type: 'timer', TriggerDesc: '* * * * * * *' },
      ],
    ];
    for (const [action, request] of samples) {
      const { request: shape } = actions[action];
      const once: unknown = JSON.parse(JSON.stringify(parseShape<typeof shape>(shape, request)));
      expect(JSON.parse(JSON.stringify(parseShape<typeof shape>(shape, once)))).toEqual(once);
    }
  });
});
