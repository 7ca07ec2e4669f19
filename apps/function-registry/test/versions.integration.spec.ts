import { functionKey, topics, type CommandReply } from '@openscf/contracts';
import { actions } from '@openscf/scf-api';
import { eventually, sharedParts, uniqueName } from '@openscf/testing';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { codeZip, command, createRequest, startRegistry, type TestRegistry } from './registry.factory.js';

describe('versions', () => {
  let registry: TestRegistry;
  beforeAll(async () => {
    registry = await startRegistry({ ...sharedParts().environment, OPENSCF_VERSIONS_PER_FUNCTION: '3' });
  });
  afterAll(() => registry.stop());

  async function created(source?: string): Promise<string> {
    const name = uniqueName('f');
    const upload = await registry.upload(codeZip(source));
    await registry.functions.createFunction(command(createRequest(name, { MemorySize: 256 }), upload));
    return name;
  }

  async function publish(FunctionName: string, Description = '') {
    const reply = await registry.versions.publishVersion(command({ FunctionName, Description }));
    return actions.PublishVersion.response.parse(reply.ok && reply.response);
  }

  async function detail(FunctionName: string, Qualifier: string) {
    const reply = await registry.functions.getFunction(
      command({ FunctionName, Qualifier, ShowCode: 'TRUE' }),
    );
    return actions.GetFunction.response.parse(reply.ok && reply.response);
  }

  async function versionsOf(FunctionName: string, fields: Record<string, unknown> = {}): Promise<string[]> {
    const reply = await registry.versions.listVersionByFunction(command({ FunctionName, ...fields }));
    return actions.ListVersionByFunction.response.parse(reply.ok && reply.response).FunctionVersion;
  }

  const keyOf = (functionName: string, version: string) =>
    functionKey({ namespace: 'default', functionName, version });
  const revisionsOf = (reply: CommandReply) =>
    reply.ok ? reply.written.map(({ key, revision }) => [key, revision]) : [];

  it('keep what $LATEST was, and are announced', async () => {
    const name = await created('// first');
    expect(await publish(name, 'one')).toMatchObject({
      FunctionVersion: '1',
      MemorySize: 256,
      Timeout: 3,
      Runtime: 'Nodejs22',
      Description: 'one',
      Namespace: 'default',
    });
    const update = command(
      { FunctionName: name, ZipFile: '(streamed)', Publish: 'TRUE' },
      await registry.upload(codeZip('// second')),
    );
    const reply = await registry.functions.updateFunctionCode(update);
    expect(revisionsOf(reply).map(([key]) => key)).toEqual([keyOf(name, '$LATEST'), keyOf(name, '2')]);
    const changed = command({ FunctionName: name, MemorySize: 512, Timeout: 9 });
    await registry.functions.updateFunctionConfiguration(changed);

    expect(await detail(name, '1')).toMatchObject({
      Qualifier: '1',
      FunctionVersion: '1',
      CodeInfo: '// first',
      MemorySize: 256,
      Description: 'one',
    });
    expect(await detail(name, '2')).toMatchObject({ CodeInfo: '// second', MemorySize: 256 });
    expect(await detail(name, '$DEFAULT')).toMatchObject({ FunctionVersion: '$LATEST', MemorySize: 512 });
    expect(await versionsOf(name)).toEqual(['2', '1', '$LATEST']);
    expect(await versionsOf(name, { Order: 'ASC', OrderBy: 'ModTime', Limit: 2 })).toEqual(['1', '2']);
    const table = registry.bus.table(topics.functions);
    expect(await eventually(() => table.get(keyOf(name, '1')))).toMatchObject({
      version: '1',
      memoryMb: 256,
    });
    const link = await registry.functions.getFunctionAddress(command({ FunctionName: name, Qualifier: '1' }));
    const { Url } = actions.GetFunctionAddress.response.parse(link.ok && link.response);
    expect(Buffer.from(await (await fetch(Url)).arrayBuffer()).equals(codeZip('// first'))).toBe(true);
  });

  it('get a number once, and keep their package until the last one goes', async () => {
    const source = `// ${uniqueName('kept')}`;
    const name = await created(source);
    await publish(name);
    await publish(name);
    const other = command(
      { FunctionName: name, ZipFile: '(streamed)' },
      await registry.upload(codeZip('// other')),
    );
    await registry.functions.updateFunctionCode(other);
    await registry.functions.deleteFunction(command({ FunctionName: name, Qualifier: '2' }));
    await registry.sweep.sweep(0);
    expect(await detail(name, '1')).toMatchObject({ CodeInfo: source });
    expect((await publish(name)).FunctionVersion).toBe('3');
    const gone = command({ FunctionName: name, Qualifier: '1' });
    expect(revisionsOf(await registry.versions.deleteFunctionVersion(gone))).toEqual([
      [keyOf(name, '1'), null],
    ]);
    await expect(detail(name, '1')).rejects.toMatchObject({ code: 'ResourceNotFound.FunctionVersion' });
    const before = await registry.objects('code/');
    await registry.sweep.sweep(0);
    expect((await registry.objects('code/')).length).toBeLessThan(before.length);
    const all = await registry.functions.deleteFunction(command({ FunctionName: name }));
    expect(
      revisionsOf(all)
        .map(([key]) => key)
        .sort(),
    ).toEqual([keyOf(name, '$LATEST'), keyOf(name, '3')]);
    const table = registry.bus.table(topics.functions);
    await eventually(
      () => table.get(keyOf(name, '3')) === undefined && table.get(keyOf(name, '1')) === undefined,
    );
  });

  it('lose nothing when many are published at once', async () => {
    const name = await created();
    const replies = await Promise.allSettled(Array.from({ length: 5 }, () => publish(name)));
    const numbers = replies.flatMap((reply) =>
      reply.status === 'fulfilled' ? [reply.value.FunctionVersion] : [],
    );
    expect(numbers.sort()).toEqual(['1', '2', '3']);
    const refused = replies.filter(({ status }) => status === 'rejected');
    expect(refused[0]).toMatchObject({ reason: { code: 'LimitExceeded.FunctionVersions' } });
  });

  it('are not deleted while a trigger calls them, unless that is asked for', async () => {
    const name = await created();
    await publish(name);
    const trigger = { FunctionName: name, TriggerName: 't', Type: 'timer', Qualifier: '1' };
    await registry.triggers.createTrigger(command({ ...trigger, TriggerDesc: '0 0 9 * * * *' }));
    expect((await detail(name, '1')).Triggers).toMatchObject([{ TriggerName: 't', Qualifier: '1' }]);
    expect((await detail(name, '$LATEST')).Triggers).toEqual([]);
    const version = { FunctionName: name, Qualifier: '1' };
    const refused = registry.versions.deleteFunctionVersion(command(version));
    await expect(refused).rejects.toMatchObject({ code: 'FailedOperation.DeleteFunction' });
    await registry.versions.deleteFunctionVersion(command({ ...version, ForceDelete: 'true' }));
    const triggers = await registry.triggers.listTriggers(command({ FunctionName: name }));
    expect(triggers).toMatchObject({ response: { TotalCount: 0 } });
  });

  it.each<[string, Record<string, unknown>, string]>([
    ['$LATEST', { Qualifier: '$LATEST' }, 'InvalidParameterValue.Qualifier'],
    ['a version that is not there', { Qualifier: '7' }, 'ResourceNotFound.FunctionVersion'],
    ['an alias', { Qualifier: 'prod' }, 'ResourceNotFound.Qualifier'],
  ])('refuse to delete %s', async (_what, fields, code) => {
    const name = await created();
    const reply = registry.functions.deleteFunction(command({ FunctionName: name, ...fields }));
    await expect(reply).rejects.toMatchObject({ code });
  });
});
