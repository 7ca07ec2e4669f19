import { functionKey, topics, type CommandReply, type InvokerState } from '@openscf/contracts';
import { actions } from '@openscf/scf-api';
import { eventually, sharedParts, uniqueName } from '@openscf/testing';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { codeZip, command, createRequest, startRegistry, type TestRegistry } from './registry.factory.js';

describe('concurrency', () => {
  let registry: TestRegistry;
  beforeAll(async () => {
    // A tenth of it, 1,280 MB, stays unreserved.
    registry = await startRegistry({ ...sharedParts().environment, OPENSCF_CONCURRENCY_QUOTA_MB: '12800' });
  });
  afterAll(() => registry.stop());

  async function created(MemorySize = 128): Promise<string> {
    const name = uniqueName('f');
    const upload = await registry.upload(codeZip());
    await registry.functions.createFunction(command(createRequest(name, { MemorySize }), upload));
    await registry.versions.publishVersion(command({ FunctionName: name }));
    return name;
  }
  const reserve = (FunctionName: string, ReservedConcurrencyMem: number) =>
    registry.concurrency.putReserved(command({ FunctionName, ReservedConcurrencyMem }));
  const unreserve = (FunctionName: string) => registry.concurrency.deleteReserved(command({ FunctionName }));
  const provision = (FunctionName: string, VersionProvisionedConcurrencyNum: number, fields: object = {}) =>
    registry.concurrency.putProvisioned(
      command({ FunctionName, Qualifier: '1', VersionProvisionedConcurrencyNum, ...fields }),
    );
  const unprovision = (FunctionName: string) =>
    registry.concurrency.deleteProvisioned(command({ FunctionName, Qualifier: '1' }));
  async function provisionedOf(FunctionName: string, Qualifier?: string) {
    const reply = await registry.concurrency.getProvisioned(command({ FunctionName, Qualifier }));
    return actions.GetProvisionedConcurrencyConfig.response.parse(reply.ok && reply.response);
  }
  async function listed(SearchKey: string) {
    const reply = await registry.functions.listFunctions(command({ SearchKey }));
    return actions.ListFunctions.response.parse(reply.ok && reply.response).Functions[0];
  }
  async function account() {
    const reply = await registry.account.getAccount(command({}));
    return actions.GetAccount.response.parse(reply.ok && reply.response);
  }
  const keyOf = (name: string) => `default/${name}`;
  const writtenOf = (reply: CommandReply) => (reply.ok ? reply.written : []);

  it('is reserved, read back, announced and given back, without touching the function', async () => {
    const name = await created();
    const before = await registry.functions.getFunction(command({ FunctionName: name }));
    const functions = registry.bus.table(topics.functions);
    const key = functionKey({ namespace: 'default', functionName: name, version: '$LATEST' });
    const { revision } = await eventually(() => functions.get(key));
    const [written] = writtenOf(await reserve(name, 1024));
    expect(written).toMatchObject({ topic: topics.concurrency.name, key: keyOf(name) });
    const table = registry.bus.table(topics.concurrency);
    const state = await eventually(() => table.get(keyOf(name)));
    expect(state).toMatchObject({ reservedMb: 1024, provisioned: [], revision: written?.revision });
    const read = await registry.concurrency.getReserved(command({ FunctionName: name }));
    expect(read).toMatchObject({ response: { ReservedMem: 1024 } });
    expect(await listed(name)).toMatchObject({
      ReservedConcurrencyMem: 1024,
      TotalProvisionedConcurrencyMem: 0,
    });
    expect((await account()).AccountUsage.TotalAllocatedConcurrencyMem).toBe(1024);

    await reserve(name, 0);
    await eventually(() => table.get(keyOf(name))?.reservedMb === 0);
    const [gone] = writtenOf(await unreserve(name));
    expect(gone).toMatchObject({ revision: null });
    await eventually(() => table.get(keyOf(name)) === undefined);
    const none = await registry.concurrency.getReserved(command({ FunctionName: name }));
    expect(none).toMatchObject({ response: { ReservedMem: null } });
    expect(functions.get(key)?.revision).toBe(revision);
    expect(await registry.functions.getFunction(command({ FunctionName: name }))).toEqual(before);
  });

  it('never reserves more than the account has, whatever comes at once', async () => {
    const names = await Promise.all(Array.from({ length: 6 }, () => created()));
    const replies = await Promise.allSettled(names.map((name) => reserve(name, 2880)));
    expect(replies.filter(({ status }) => status === 'fulfilled')).toHaveLength(4);
    const refused = replies.find((reply) => reply.status === 'rejected');
    expect(refused?.reason).toMatchObject({
      code: 'FailedOperation.ReservedExceedTotal',
      message: expect.stringContaining('at most 0') as string,
    });
    expect((await account()).AccountUsage.TotalAllocatedConcurrencyMem).toBe(4 * 2880);
    await Promise.all(names.map((name) => unreserve(name)));
  });

  it.each<[string, number, string]>([
    ['less than its memory', 64, 'InvalidParameterValue.Memory'],
    ['more than the account has', 12_801, 'LimitExceeded.FunctionReservedConcurrencyMemory'],
    ['what must stay unreserved', 12_800, 'FailedOperation.ReservedExceedTotal'],
  ])('refuses to reserve %s', async (_what, mb, code) => {
    await expect(reserve(await created(), mb)).rejects.toMatchObject({ code });
  });

  it('is provisioned, and how far it is comes from the invokers', async () => {
    const name = await created();
    const action = {
      TriggerName: 'night',
      TriggerProvisionedConcurrencyNum: 1,
      TriggerCronConfig: '0 0 22 1 1 * 2099',
    };
    await provision(name, 3, { TriggerActions: [action] });
    const table = registry.bus.table(topics.concurrency);
    expect(await eventually(() => table.get(keyOf(name)))).toMatchObject({
      provisioned: [{ version: '1', instances: 3, schedule: [{ name: 'night', instances: 1 }] }],
    });
    expect(await provisionedOf(name)).toMatchObject({
      UnallocatedConcurrencyNum: 97,
      Allocated: [
        {
          Qualifier: '1',
          AllocatedProvisionedConcurrencyNum: 3,
          Status: 'InProgress',
          StatusReason: '0 of 3 instances are ready',
        },
      ],
    });
    const invoker = (ready: number): InvokerState => ({
      invokerId: 'a',
      epoch: 'e',
      address: '127.0.0.1:1',
      accepting: true,
      memoryMb: 1000,
      usedMemoryMb: 0,
      runtimes: ['Nodejs22'],
      missingRuntimes: {},
      provisioned: { [`default/${name}/1`]: ready },
      sentAt: Date.now(),
    });
    registry.invokers.states = [invoker(1), invoker(1)];
    expect((await provisionedOf(name)).Allocated).toMatchObject([
      {
        AvailableProvisionedConcurrencyNum: 2,
        Status: 'InProgress',
        StatusReason: '2 of 3 instances are ready',
      },
    ]);
    registry.invokers.states = [invoker(3)];
    expect((await provisionedOf(name, '1')).Allocated).toMatchObject([
      { AvailableProvisionedConcurrencyNum: 3, Status: 'Done', StatusReason: '', TriggerActions: [action] },
    ]);
    registry.invokers.states = [];
    expect(await listed(name)).toMatchObject({ TotalProvisionedConcurrencyMem: 384 });
    await unprovision(name);
    await eventually(() => table.get(keyOf(name)) === undefined);
    expect((await provisionedOf(name)).Allocated).toEqual([]);
  });

  it('is provisioned within what is reserved, or what is unreserved', async () => {
    const [own, other] = [await created(), await created(256)];
    await reserve(own, 512);
    await provision(own, 4);
    await expect(provision(own, 5)).rejects.toMatchObject({
      code: 'FailedOperation.ProvisionedExceedReserved',
    });
    await expect(reserve(own, 384)).rejects.toMatchObject({
      code: 'FailedOperation.ProvisionedExceedReserved',
    });
    await expect(provision(other, 49)).rejects.toMatchObject({
      code: 'FailedOperation.ProvisionedExceedAvailable',
    });
    await expect(provision(other, 51)).rejects.toMatchObject({
      code: 'LimitExceeded.FunctionProvisionedConcurrencyMemory',
    });
    await provision(other, 48);
    await expect(reserve(await created(), 128)).rejects.toMatchObject({
      code: 'FailedOperation.ReservedExceedTotal',
    });
    const tracking = {
      ProvisionedType: 'ConcurrencyUtilizationTracking',
      TrackingTarget: 0.5,
      MinCapacity: 2,
      MaxCapacity: 9,
    };
    await provision(other, 0, tracking);
    expect((await provisionedOf(other)).Allocated).toMatchObject([
      { AllocatedProvisionedConcurrencyNum: 2, TrackingTarget: 0.5, MinCapacity: 2, MaxCapacity: 9 },
    ]);
    await expect(
      registry.functions.updateFunctionConfiguration(command({ FunctionName: own, MemorySize: 1024 })),
    ).rejects.toMatchObject({ code: 'FailedOperation.UpdateFunctionConfiguration' });
    // With the version, and with the function, it goes.
    const version = { FunctionName: own, Qualifier: '1' };
    await expect(registry.versions.deleteFunctionVersion(command(version))).rejects.toMatchObject({
      code: 'FailedOperation.DeleteFunction',
    });
    await registry.versions.deleteFunctionVersion(command({ ...version, ForceDelete: 'true' }));
    expect((await provisionedOf(own)).Allocated).toEqual([]);
    const table = registry.bus.table(topics.concurrency);
    await registry.functions.deleteFunction(command({ FunctionName: own }));
    await registry.functions.deleteFunction(command({ FunctionName: other }));
    await eventually(() => !table.get(keyOf(own)) && !table.get(keyOf(other)));
  });

  it.each<[string, object, string]>([
    ['a version that is not there', { Qualifier: '9' }, 'ResourceNotFound.FunctionVersion'],
    [
      'a bad time',
      {
        TriggerActions: [
          { TriggerName: 'a', TriggerProvisionedConcurrencyNum: 1, TriggerCronConfig: '0 61 * * * * *' },
        ],
      },
      'InvalidParameterValue.TriggerCronConfig',
    ],
  ])('refuses to provision %s', async (_what, fields, code) => {
    await expect(provision(await created(), 1, fields)).rejects.toMatchObject({ code });
  });

  it('tells what the account uses and may', async () => {
    const name = await created();
    expect(await account()).toMatchObject({
      AccountUsage: {
        TotalConcurrencyMem: 12_800,
        Namespace: [{ Functions: expect.arrayContaining([name]) as string[] }],
      },
      AccountLimit: { Namespace: [{ FunctionsCount: 50, Trigger: { Timer: 10, Total: 110 } }] },
    });
  });
});
