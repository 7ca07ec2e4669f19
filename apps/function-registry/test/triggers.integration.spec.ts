import { topics, type CommandReply } from '@openscf/contracts';
import { actions } from '@openscf/scf-api';
import { eventually, sharedParts, uniqueName } from '@openscf/testing';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { codeZip, command, createRequest, startRegistry, type TestRegistry } from './registry.factory.js';

describe('triggers', () => {
  let registry: TestRegistry;
  let bucket: string;
  let FunctionName: string;
  let other: string;
  beforeAll(async () => {
    registry = await startRegistry(sharedParts().environment);
    bucket = uniqueName('photos');
    await registry.store.ensureBucket(bucket);
    [FunctionName, other] = [uniqueName('f'), uniqueName('g')];
    for (const name of [FunctionName, other]) {
      await registry.functions.createFunction(command(createRequest(name), await registry.upload(codeZip())));
    }
  });
  afterAll(() => registry.stop());

  const create = (fields: Record<string, unknown>) =>
    registry.triggers.createTrigger(command({ FunctionName, ...fields }));
  const remove = (fields: Record<string, unknown>) =>
    registry.triggers.deleteTrigger(command({ FunctionName, ...fields }));
  const cosDesc = (Prefix: string) => JSON.stringify({ event: 'cos:ObjectCreated:*', filter: { Prefix } });
  const keyOf = (reply: CommandReply) => (reply.ok ? (reply.written[0]?.key ?? '') : '');

  it('announces, switches, lists and removes a timer', async () => {
    const trigger = { TriggerName: 'every', Type: 'timer' };
    const reply = await create({ ...trigger, TriggerDesc: '*/5 * * * * * *', CustomArgument: 'hi' });
    const table = registry.bus.table(topics.triggers);
    expect(await eventually(() => table.get(keyOf(reply)))).toMatchObject({
      enabled: true,
      cron: '*/5 * * * * * *',
    });

    const set = (Enable: string) =>
      registry.triggers.updateTriggerStatus(command({ FunctionName, ...trigger, Enable }));
    await set('CLOSE');
    await eventually(() => table.get(keyOf(reply))?.enabled === false);
    await expect(set('CLOSE')).rejects.toMatchObject({ code: 'FailedOperation.UpdateTriggerStatus' });

    const listed = await registry.triggers.listTriggers(command({ FunctionName }));
    const { Triggers } = actions.ListTriggers.response.parse(listed.ok && listed.response);
    expect(Triggers).toMatchObject([{ TriggerName: 'every', Enable: 0, CustomArgument: 'hi' }]);

    await remove(trigger);
    await eventually(() => table.get(keyOf(reply)) === undefined);
    await expect(remove(trigger)).rejects.toMatchObject({ code: 'ResourceNotFound.Trigger' });
  });

  it('keeps the rules of one bucket apart, over all functions', async () => {
    const host = `${bucket}-1250000000.cos.ap-guangzhou.myqcloud.com`;
    const a = await create({ TriggerName: bucket, Type: 'cos', TriggerDesc: cosDesc('a/') });
    const b = await create({ TriggerName: host, Type: 'cos', TriggerDesc: cosDesc('b/') });
    expect(keyOf(a)).not.toBe(keyOf(b));
    const again = create({ TriggerName: host, Type: 'cos', TriggerDesc: cosDesc('a/') });
    await expect(again).rejects.toMatchObject({ code: 'ResourceInUse.Trigger' });
    for (const name of [FunctionName, other]) {
      const overlapping = create({
        FunctionName: name,
        TriggerName: bucket,
        Type: 'cos',
        TriggerDesc: cosDesc('a/x/'),
      });
      await expect(overlapping).rejects.toMatchObject({
        code: 'InvalidParameterValue.CosNotifyRuleConflict',
      });
    }
    await expect(remove({ TriggerName: bucket, Type: 'cos' })).rejects.toMatchObject({
      code: 'InvalidParameterValue.TriggerDesc',
    });
    expect(keyOf(await remove({ TriggerName: bucket, Type: 'cos', TriggerDesc: cosDesc('b/') }))).toBe(
      keyOf(b),
    );
    expect(keyOf(await remove({ TriggerName: host, Type: 'cos' }))).toBe(keyOf(a));
  });

  it('lets one of two functions win that want the same objects at the same time', async () => {
    const names = [FunctionName, other, FunctionName, other];
    const replies = await Promise.allSettled(
      names.map((name, i) =>
        create({
          FunctionName: name,
          TriggerName: bucket,
          Type: 'cos',
          TriggerDesc: cosDesc(`race/${'x/'.repeat(i)}`),
        }),
      ),
    );
    expect(replies.filter(({ status }) => status === 'fulfilled')).toHaveLength(1);
  });

  it.each<[string, Record<string, unknown>, string]>([
    [
      'a bucket that is not there',
      { TriggerName: 'no-such-bucket', Type: 'cos', TriggerDesc: cosDesc('') },
      'ResourceNotFound.Cos',
    ],
    ['another Kafka', { TriggerName: 'ckafka-x-orders', Type: 'ckafka' }, 'ResourceNotFound.Ckafka'],
    [
      'a version that is not there',
      { TriggerName: 't', Type: 'timer', TriggerDesc: '* * * * *', Qualifier: '2' },
      'ResourceNotFound.FunctionVersion',
    ],
    [
      'a function that is not there',
      { FunctionName: 'nobody', TriggerName: 't', Type: 'timer' },
      'ResourceNotFound.Function',
    ],
    [
      'a bad cron',
      { TriggerName: 't', Type: 'timer', TriggerDesc: '61 * * * * * *' },
      'InvalidParameterValue.TriggerCronConfig',
    ],
  ])('refuses %s', async (_what, fields, code) => {
    await expect(create(fields)).rejects.toMatchObject({ code });
  });

  it('refuses the platform bucket', async () => {
    const reply = create({
      TriggerName: registry.config.platformBucket,
      Type: 'cos',
      TriggerDesc: cosDesc(''),
    });
    await expect(reply).rejects.toMatchObject({ code: 'InvalidParameterValue.Cos' });
  });

  it('takes ten of a type', async () => {
    const timer = (i: number) =>
      create({ TriggerName: `t${i}`, Type: 'timer', TriggerDesc: '0 0 0 1 1 * *' });
    const replies = await Promise.allSettled(Array.from({ length: 12 }, (_, i) => timer(i)));
    const refused = replies.filter(({ status }) => status === 'rejected');
    expect(refused).toHaveLength(2);
    expect(refused[0]).toMatchObject({ reason: { code: 'LimitExceeded.Trigger' } });
  });
});
