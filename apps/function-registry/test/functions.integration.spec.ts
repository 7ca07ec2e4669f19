import { functionKey, topics, triggerKey, type CommandReply } from '@openscf/contracts';
import { actions } from '@openscf/scf-api';
import { eventually, sharedParts, uniqueName } from '@openscf/testing';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { codeZip, command, createRequest, startRegistry, type TestRegistry } from './registry.factory.js';

describe('functions', () => {
  let registry: TestRegistry;
  beforeAll(async () => {
    registry = await startRegistry(sharedParts().environment);
  });
  afterAll(() => registry.stop());

  async function create(
    name: string,
    fields: Record<string, unknown> = {},
    zip = codeZip(),
  ): Promise<CommandReply> {
    return registry.functions.createFunction(
      command(createRequest(name, fields), await registry.upload(zip)),
    );
  }

  async function detail(FunctionName: string) {
    const reply = await registry.functions.getFunction(command({ FunctionName, ShowCode: 'TRUE' }));
    if (!reply.ok) throw new Error(reply.message);
    return actions.GetFunction.response.parse(reply.response);
  }

  const keyOf = (functionName: string) =>
    functionKey({ namespace: 'default', functionName, version: '$LATEST' });

  it('creates a function that can be read back and is announced', async () => {
    const name = uniqueName('f');
    const reply = await create(name, {
      Description: 'd',
      Environment: {
        Variables: [
          { Key: 'ZZ', Value: '1' },
          { Key: 'A2', Value: '中' },
        ],
      },
    });
    expect(reply).toMatchObject({ ok: true, written: [{ topic: topics.functions.name, key: keyOf(name) }] });
    expect(await detail(name)).toMatchObject({
      FunctionName: name,
      Status: 'Active',
      Description: 'd',
      CodeInfo: 'exports.main_handler = async () => 1;',
      Environment: {
        Variables: [
          { Key: 'ZZ', Value: '1' },
          { Key: 'A2', Value: '中' },
        ],
      },
    });
    const table = registry.bus.table(topics.functions);
    const state = await eventually(() => table.get(keyOf(name)));
    expect(state).toMatchObject({ status: 'Active', environment: { ZZ: '1', A2: '中' }, timeoutMs: 3000 });
    expect(await registry.objects('uploads/')).toEqual([]);
  });

  it('gives a link to the package that works', async () => {
    const name = uniqueName('f');
    await create(name);
    const reply = await registry.functions.getFunctionAddress(command({ FunctionName: name }));
    const { Url, CodeSha256 } = actions.GetFunctionAddress.response.parse(reply.ok && reply.response);
    const bytes = Buffer.from(await (await fetch(Url)).arrayBuffer());
    expect(bytes.equals(codeZip())).toBe(true);
    expect(CodeSha256).toMatch(/^[0-9a-f]{64}$/);
  });

  it('lets one of many creations of a name win, and leaves nothing of the others', async () => {
    const name = uniqueName('f');
    const replies = await Promise.allSettled(
      Array.from({ length: 6 }, (_, i) => create(name, {}, codeZip(`// ${name} ${i}`))),
    );
    expect(replies.filter(({ status }) => status === 'fulfilled')).toHaveLength(1);
    for (const reply of replies) {
      if (reply.status === 'rejected') expect(reply.reason).toMatchObject({ code: 'ResourceInUse.Function' });
    }
    expect(await registry.objects('uploads/')).toEqual([]);
  });

  it('loses no update when several come at once, and ends on the topic with the last one', async () => {
    const name = uniqueName('f');
    await create(name);
    const update = (fields: Record<string, unknown>) =>
      registry.functions.updateFunctionConfiguration(command({ FunctionName: name, ...fields }));
    const code = async () =>
      registry.functions.updateFunctionCode(
        command({ FunctionName: name, ZipFile: '(streamed)' }, await registry.upload(codeZip('// changed'))),
      );
    const replies = await Promise.all([
      update({ Timeout: 9 }),
      update({ MemorySize: 256 }),
      code(),
      update({ Description: 'x' }),
    ]);
    expect(await detail(name)).toMatchObject({
      Timeout: 9,
      MemorySize: 256,
      Description: 'x',
      CodeInfo: '// changed',
    });
    const revisions = replies.flatMap((reply) =>
      reply.ok ? reply.written.map(({ revision }) => revision ?? 0) : [],
    );
    // The description concerns nobody but the registry.
    expect(new Set(revisions).size).toBe(3);
    const table = registry.bus.table(topics.functions);
    const last = await eventually(() => {
      const state = table.get(keyOf(name));
      return state?.revision === Math.max(...revisions) ? state : undefined;
    });
    expect(last).toMatchObject({ timeoutMs: 9000, memoryMb: 256 });
  });

  it('deletes a function with its triggers, and makes another one of the same name', async () => {
    const name = uniqueName('f');
    const first = await create(name);
    const { FunctionId } = await detail(name);
    await registry.triggers.createTrigger(
      command({ FunctionName: name, TriggerName: 't', Type: 'timer', TriggerDesc: '0 0 9 * * * *' }),
    );
    const triggers = registry.bus.table(topics.triggers);
    const key = triggerKey({ namespace: 'default', functionName: name, type: 'timer', triggerName: 't' });
    await eventually(() => triggers.get(key));

    const deleted = await registry.functions.deleteFunction(command({ FunctionName: name }));
    expect(deleted).toMatchObject({
      written: [
        { key, revision: null },
        { key: keyOf(name), revision: null },
      ],
    });
    await expect(detail(name)).rejects.toMatchObject({ code: 'ResourceNotFound.Function' });
    await eventually(
      () =>
        triggers.get(key) === undefined &&
        registry.bus.table(topics.functions).get(keyOf(name)) === undefined,
    );

    const second = await create(name);
    expect((await detail(name)).FunctionId).not.toBe(FunctionId);
    expect((await detail(name)).Triggers).toEqual([]);
    const revisionOf = (reply: CommandReply) => (reply.ok ? (reply.written[0]?.revision ?? 0) : 0);
    expect(revisionOf(second)).toBeGreaterThan(revisionOf(first));
  });

  it('lists by name, filter, order and page', async () => {
    const prefix = uniqueName('list');
    for (const [name, Runtime] of [
      ['b', 'Python3.7'],
      ['a', 'Nodejs22'],
      ['c', 'Nodejs22'],
    ] as const) {
      await create(`${prefix}-${name}`, { Runtime });
    }
    const list = async (fields: Record<string, unknown>) => {
      const reply = await registry.functions.listFunctions(command({ SearchKey: prefix, ...fields }));
      const { Functions, TotalCount } = actions.ListFunctions.response.parse(reply.ok && reply.response);
      return [TotalCount, ...Functions.map(({ FunctionName }) => FunctionName.slice(-1))];
    };
    expect(await list({})).toEqual([3, 'c', 'a', 'b']);
    expect(await list({ Orderby: 'FunctionName', Order: 'ASC', Offset: 1, Limit: 1 })).toEqual([3, 'b']);
    expect(await list({ Filters: [{ Name: 'Runtime', Values: ['Nodejs22'] }] })).toEqual([2, 'c', 'a']);
    expect(await list({ SearchKey: '%' })).toEqual([0]);
  });

  it.each<[string, Record<string, unknown>, string]>([
    ['another namespace', { Namespace: 'other' }, 'ResourceNotFound.Namespace'],
    ['text that cannot be stored', { Description: 'a\0b' }, 'InvalidParameter'],
    [
      'half a character',
      { Environment: { Variables: [{ Key: 'KEY', Value: '\ud800' }] } },
      'InvalidParameter',
    ],
  ])('refuses %s and leaves nothing behind', async (_what, fields, code) => {
    const source = `// ${uniqueName()}`;
    const before = await registry.objects();
    await expect(create(uniqueName('f'), fields, codeZip(source))).rejects.toMatchObject({ code });
    expect(await registry.objects()).toEqual(before);
  });
});
