import { actions } from '@openscf/scf-api';
import { describe, expect, it } from 'vitest';
import { cosRecord, functionRecord, timerRecord, triggerPlace } from '../../test/records.factory.js';
import { chooseTrigger } from './trigger-choice.policy.js';
import { selectTriggers } from './trigger-list.policy.js';
import { definitionOf, newTrigger } from './trigger-record.policy.js';
import { triggerDescOf, triggerInfoOf } from './trigger-view.policy.js';

const owner = functionRecord();
const platformBucket = 'openscf-platform';
const now = new Date('2026-11-22T12:00:00Z');

function created(fields: Record<string, unknown>) {
  const request = actions.CreateTrigger.request.parse({ FunctionName: 'hello', ...fields });
  return newTrigger(
    request,
    definitionOf(request, { platformBucket, now, urlId: 'abcdefghij' }),
    functionRecord(),
    9,
    now,
  );
}

describe('a new trigger', () => {
  it('reads back a timer as SCF does', () => {
    const record = created({
      TriggerName: 't',
      Type: 'timer',
      TriggerDesc: '*/5 * * * *',
      CustomArgument: 'hi',
    });
    expect(record.state).toMatchObject({
      type: 'timer',
      cron: '0 */5 * * * * *',
      customArgument: 'hi',
      enabled: true,
    });
    expect(triggerInfoOf(record, owner, triggerPlace)).toMatchObject({
      TriggerName: 't',
      TriggerDesc: '{"cron":"0 */5 * * * * *"}',
      Enable: 1,
      CustomArgument: 'hi',
    });
  });

  it('reads back a ckafka trigger as it was given', () => {
    const desc = '{"maxMsgNum":5,"offset":"earliest","retry":3,"timeOut":2,"consumerGroupName":"g"}';
    const record = created({
      TriggerName: 'ckafka-local-t',
      Type: 'ckafka',
      TriggerDesc: desc,
      Enable: 'CLOSE',
    });
    expect(record.state).toMatchObject({ enabled: false, topic: 't', maxWaitMs: 2000 });
    expect(triggerDescOf(record, owner, triggerPlace)).toBe(desc);
  });

  it('reads back a bucket with its host, and keeps the name as it was given', () => {
    const desc = '{"event":"cos:ObjectCreated:*","filter":{"Prefix":"in/","Suffix":""}}';
    const record = created({ TriggerName: 'photos', Type: 'cos', TriggerDesc: desc });
    expect(record.triggerName).toBe('photos');
    expect(record.state.triggerName).toMatch(/^photos~/);
    expect(JSON.parse(triggerDescOf(record, owner, triggerPlace))).toEqual({
      bucketUrl: 'photos-1250000000.cos.ap-guangzhou.myqcloud.com',
      event: 'cos:ObjectCreated:*',
      filter: { Prefix: 'in/', Suffix: '' },
    });
  });
});

describe('chooseTrigger', () => {
  const records = [
    timerRecord('t1'),
    cosRecord('photos', 'a/'),
    cosRecord('photos', 'b/'),
    cosRecord('one', ''),
  ];
  const choose = (Type: 'timer' | 'cos' | 'ckafka', TriggerName: string, TriggerDesc = '') =>
    chooseTrigger(records, { FunctionName: 'hello', Type, TriggerName, TriggerDesc }, platformBucket);

  it('finds by name, and triggers of a bucket by TriggerDesc', () => {
    expect(choose('timer', 't1')).toBe(records[0]);
    const desc = '{"event":"cos:ObjectCreated:*","filter":{"Prefix":"b/"}}';
    expect(choose('cos', 'photos', desc)).toBe(records[2]);
    expect(choose('cos', 'photos-1250000000.cos.ap-guangzhou.myqcloud.com', desc)).toBe(records[2]);
    expect(choose('cos', 'one')).toBe(records[3]);
  });

  it('takes TriggerDesc as it was read back', () => {
    const desc = triggerDescOf(records[1] ?? timerRecord(''), owner, triggerPlace);
    expect(choose('cos', 'photos', desc)).toBe(records[1]);
  });

  it.each([
    ['timer', 't2', '', 'ResourceNotFound.Trigger'],
    ['ckafka', 't1', '', 'ResourceNotFound.Trigger'],
    ['cos', 'other', '', 'ResourceNotFound.Trigger'],
    ['cos', 'photos', '{"event":"cos:ObjectRemove:*"}', 'ResourceNotFound.Trigger'],
    ['cos', 'photos', '', 'InvalidParameterValue.TriggerDesc'],
  ] as const)('refuses %s %s %s', (type, triggerName, desc, code) => {
    expect(() => choose(type, triggerName, desc)).toThrow(expect.objectContaining({ code }) as Error);
  });
});

describe('selectTriggers', () => {
  const at = (seconds: number) => new Date(now.getTime() + seconds * 1000);
  const records = [
    timerRecord('old', { createdAt: at(1), modifiedAt: at(9) }),
    timerRecord('new', { createdAt: at(2), modifiedAt: at(2) }),
    cosRecord('photos', '', { createdAt: at(3), modifiedAt: at(3) }),
  ];
  const select = (fields: Record<string, unknown>) => {
    const { page, total } = selectTriggers(
      records,
      actions.ListTriggers.request.parse({ FunctionName: 'hello', ...fields }),
    );
    return [total, ...page.map(({ triggerName }) => triggerName)];
  };

  it('sorts by the time of change, newest first, unless told', () => {
    expect(select({})).toEqual([3, 'old', 'photos', 'new']);
    expect(select({ OrderBy: 'add_time', Order: 'ASC' })).toEqual([3, 'old', 'new', 'photos']);
  });

  it('filters before it cuts', () => {
    expect(select({ Filters: [{ Name: 'Type', Values: ['timer'] }], Limit: 1 })).toEqual([2, 'old']);
    expect(select({ Filters: [{ Name: 'TriggerName', Values: ['new', 'photos'] }], Offset: 1 })).toEqual([
      2,
      'new',
    ]);
    expect(() => select({ Filters: [{ Name: 'Color', Values: [] }] })).toThrow(
      /Color.*Qualifier, TriggerName/,
    );
  });
});
