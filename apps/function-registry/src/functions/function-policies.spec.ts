import { actions, type ActionRequest } from '@openscf/scf-api';
import { describe, expect, it } from 'vitest';
import {
  concurrencyRecord,
  functionRecord,
  provisionedRecord,
  timerRecord,
  triggerPlace,
} from '../../test/records.factory.js';
import { triggerInfoOf } from '../triggers/trigger-view.policy.js';
import { deletableVersionOf, functionNameOf, versionOf } from './function-identity.policy.js';
import { newFunction, stateOf, withCode, withConfiguration } from './function-record.policy.js';
import { detailOf, entryFilesOf, listItemOf } from './function-view.policy.js';

const name = { namespace: 'default', functionName: 'hello' };
const code = {
  kind: 'package' as const,
  sha256: 'cd'.repeat(32),
  sizeBytes: 20,
  objectKey: `code/${'cd'.repeat(32)}.zip`,
};

function updateRequest(fields: Record<string, unknown>): ActionRequest<'UpdateFunctionConfiguration'> {
  return actions.UpdateFunctionConfiguration.request.parse({ FunctionName: 'hello', ...fields });
}

describe('a function record', () => {
  it('is made from CreateFunction with SCF defaults, Active', () => {
    const request = actions.CreateFunction.request.parse({
      FunctionName: 'hello',
      Runtime: 'Python3.11',
      Handler: 'index.main_handler',
      Code: { ZipFile: '(streamed)' },
      Environment: { Variables: [{ Key: 'KEY', Value: 'v' }] },
    });
    expect(newFunction(request, { code }, 7, new Date())).toMatchObject({
      functionId: expect.stringMatching(/^lam-[a-z0-9]{8}$/) as string,
      revision: 7,
      status: 'Active',
      memoryMb: 128,
      timeoutMs: 3000,
      initTimeoutMs: 65_000,
      environment: { KEY: 'v' },
      publicNetwork: true,
      code,
    });
  });

  it('says whose files those in shared directories are', () => {
    const mount = { CfsId: 'media', LocalMountDir: '/mnt/media', UserGroupId: '33' };
    const update = updateRequest({ CfsConfig: { CfsInsList: [mount] } });
    const record = withConfiguration(functionRecord(), update, undefined);
    expect(stateOf(record).sharedDirectories).toEqual([
      { cfsId: 'media', localDirectory: '/mnt/media', remoteDirectory: '/', uid: 10_000, gid: 33 },
    ]);
  });

  it('keeps what an update leaves out', () => {
    const before = functionRecord({ description: 'old', role: 'r', publicNetwork: false });
    expect(withConfiguration(before, updateRequest({ MemorySize: 256 }), undefined)).toEqual({
      ...before,
      memoryMb: 256,
    });
    expect(withConfiguration(before, updateRequest({ Description: '' }), undefined).description).toBe('');
    expect(withCode(before, code, {})).toEqual({ ...before, code });
  });

  it('replaces all variables, and clears them in SCF’s way', () => {
    const before = functionRecord();
    const replaced = updateRequest({ Environment: { Variables: [{ Key: 'ONLY', Value: '1' }] } });
    const cleared = updateRequest({ Environment: { Variables: [{ Key: '', Value: '' }] } });
    expect(withConfiguration(before, replaced, undefined).environment).toEqual({ ONLY: '1' });
    expect(withConfiguration(before, cleared, undefined).environment).toEqual({});
  });

  it('publishes nothing that only the registry keeps', () => {
    expect(Object.keys(stateOf(functionRecord()))).not.toContain('description');
  });
});

describe('the views', () => {
  it('have every key of the protocol and the right types', () => {
    const info = triggerInfoOf(timerRecord('t1'), functionRecord(), triggerPlace);
    const parts = { qualifier: '$LATEST', triggers: [info], layers: [], codeInfo: 'source' };
    const detail = detailOf(functionRecord(), parts);
    expect(actions.GetFunction.response.parse(detail)).toEqual(detail);
    const concurrency = concurrencyRecord({ reservedMb: 512, provisioned: [provisionedRecord()] });
    const list = { Functions: [listItemOf(functionRecord(), concurrency)], TotalCount: 1 };
    expect(actions.ListFunctions.response.parse(list)).toEqual(list);
    expect(list.Functions[0]).toMatchObject({
      TotalProvisionedConcurrencyMem: 256,
      ReservedConcurrencyMem: 512,
    });
  });

  it('give variables in the order in which they were set', () => {
    const parts = { qualifier: '$LATEST', triggers: [], layers: [], codeInfo: '' };
    const { Environment } = detailOf(functionRecord(), parts);
    expect(Environment.Variables.map(({ Key }) => Key)).toEqual(['B', 'A']);
  });

  it('find the entry file by runtime', () => {
    expect(entryFilesOf(functionRecord({ handler: 'src/app.handle' }))).toEqual([
      'src/app.js',
      'src/app.mjs',
      'src/app.cjs',
    ]);
    expect(entryFilesOf(functionRecord({ runtime: 'Python3.7' }))).toEqual(['index.py']);
  });
});

describe('names', () => {
  it('refuses other namespaces, versions and aliases, each with its code', () => {
    const refused = (code: string) => expect.objectContaining({ code }) as Error;
    expect(() => functionNameOf({ Namespace: 'x', FunctionName: 'hello' })).toThrow(
      refused('ResourceNotFound.Namespace'),
    );
    expect(() => versionOf(name, 'prod')).toThrow(refused('ResourceNotFound.Qualifier'));
    expect(['$LATEST', '$DEFAULT', '3'].map((qualifier) => versionOf(name, qualifier))).toEqual([
      '$LATEST',
      '$LATEST',
      '3',
    ]);
    expect(deletableVersionOf(name, '')).toBeUndefined();
    expect(() => deletableVersionOf(name, '$LATEST')).toThrow(refused('InvalidParameterValue.Qualifier'));
  });
});
