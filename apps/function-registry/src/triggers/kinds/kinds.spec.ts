import { describe, expect, it } from 'vitest';
import { ckafkaPartOf } from './ckafka.policy.js';
import { bucketOf, cosRuleOf, cosStateName, rulesOverlap } from './cos.policy.js';
import { timerCronOf } from './timer.policy.js';

const now = new Date('2026-11-22T12:00:00Z');

describe('timerCronOf', () => {
  it.each([
    ['0 */5 * * * * *', '0 */5 * * * * *'],
    ['*/5 * * * *', '0 */5 * * * * *'],
    ['{"cron":"0 0 9 * * MON-FRI *"}', '0 0 9 * * MON-FRI *'],
    ['0 0 0 1,15 jan-mar * 2026-2030', '0 0 0 1,15 jan-mar * 2026-2030'],
    [' 0  0 12 * *  * * ', '0 0 12 * * * *'],
  ])('reads %s', (desc, cron) => {
    expect(timerCronOf(desc, now)).toBe(cron);
  });

  it.each([
    ['', /TriggerDesc/],
    ['* * * * * *', /7 fields/],
    ['60 * * * * * *', /the second is "60", it must be 0-59/],
    ['0 0 24 * * * *', /the hour is "24"/],
    ['0 0 0 0 * * *', /the day is "0"/],
    ['0 0 0 * * 7 *', /the week is "7", it must be 0-6 or SUN-SAT/],
    ['0 0 0 L * * *', /the day is "L"/],
    ['0 0 0 ? * * *', /the day is "\?"/],
    ['0 5-1 * * * * *', /the minute is "5-1"/],
    ['0 */0 * * * * *', /the minute/],
    ['0 5/2 * * * * *', /the minute is "5\/2"/],
    ['0 0 0 1 1 * 1969', /the year is "1969"/],
    ['0 0 0 1 1 * 2020', /never fires again/],
    ['0 0 0 30 2 * *', /never fires again/],
    ['@daily', /7 fields/],
  ])('refuses "%s"', (desc, message) => {
    expect(() => timerCronOf(desc, now)).toThrow(message);
  });
});

describe('ckafkaPartOf', () => {
  it('fills in what is left out', () => {
    expect(ckafkaPartOf('ckafka-local-my-orders.v1', '')).toEqual({
      instanceId: 'ckafka-local',
      topic: 'my-orders.v1',
      maxMessages: 100,
      maxWaitMs: 60_000,
      retries: 10_000,
      offset: 'latest',
      consumerGroup: '',
    });
  });

  it.each([
    ['ckafka-abc123-orders', '', 'ResourceNotFound.Ckafka', /ckafka-local/],
    ['orders', '', 'InvalidParameterValue.TriggerName', /<instanceId>-<topic>/],
    ['ckafka-local-', '', 'InvalidParameterValue.TriggerName', /topic/],
    ['ckafka-local-..', '', 'InvalidParameterValue.TriggerName', /topic/],
    ['ckafka-local-openscf.credentials', '', 'InvalidParameterValue.Ckafka', /belong to the platform/],
    ['ckafka-local-__consumer_offsets', '', 'InvalidParameterValue.Ckafka', /belong to the platform/],
    ['ckafka-local-t', '{"maxMsgNum":0}', 'InvalidParameterValue.Ckafka', /maxMsgNum/],
    ['ckafka-local-t', '{"timeOut":61}', 'InvalidParameterValue.Ckafka', /timeOut/],
    [
      'ckafka-local-t',
      '{"consumerGroupName":"openscf-log"}',
      'InvalidParameterValue.Ckafka',
      /belong to the platform/,
    ],
    ['ckafka-local-t', 'latest', 'InvalidParameterValue.TriggerDesc', /JSON/],
  ])('refuses %s %s', (name, desc, code, message) => {
    const read = () => ckafkaPartOf(name, desc);
    expect(read).toThrow(
      expect.objectContaining({ code, message: expect.stringMatching(message) as string }) as Error,
    );
  });
});

describe('buckets', () => {
  it('takes the plain name and the host form for the same bucket', () => {
    expect(bucketOf('photos', 'openscf-platform')).toBe('photos');
    expect(bucketOf('photos-1250000000.cos.ap-guangzhou.myqcloud.com', 'openscf-platform')).toBe('photos');
    expect(bucketOf('my-photos-2024-125.cos.ap-shanghai.myqcloud.com', 'openscf-platform')).toBe(
      'my-photos-2024',
    );
  });

  it('refuses the platform bucket in both forms, and what is no bucket', () => {
    expect(() => bucketOf('openscf-platform', 'openscf-platform')).toThrow(/belongs to the platform/);
    expect(() => bucketOf('openscf-platform-1.cos.a.myqcloud.com', 'openscf-platform')).toThrow(
      /belongs to the platform/,
    );
    expect(() => bucketOf('Photos_1', 'openscf-platform')).toThrow(/name of a bucket/);
  });

  const rule = (event: string, prefix = '', suffix = '', bucket = 'photos') => ({
    bucket,
    event,
    prefix,
    suffix,
  });

  it.each([
    [rule('cos:ObjectCreated:*'), rule('cos:ObjectCreated:Put'), true],
    [rule('cos:ObjectCreated:Put'), rule('cos:ObjectCreated:Post'), false],
    [rule('cos:ObjectCreated:*'), rule('cos:ObjectRemove:*'), false],
    [rule('cos:ObjectCreated:*', 'in/'), rule('cos:ObjectCreated:*', 'out/'), false],
    [rule('cos:ObjectCreated:*', 'in/'), rule('cos:ObjectCreated:*', 'in/jpg/'), true],
    [rule('cos:ObjectCreated:*', 'in/', '.jpg'), rule('cos:ObjectCreated:*', 'in/', '.png'), false],
    [rule('cos:ObjectCreated:*', 'in/', '.jpg'), rule('cos:ObjectCreated:*', '', 'g'), true],
    [rule('cos:ObjectCreated:*'), rule('cos:ObjectCreated:*', '', '', 'other'), false],
  ])('tells whether %j and %j overlap', (a, b, overlap) => {
    expect(rulesOverlap(a, b)).toBe(overlap);
    expect(rulesOverlap(b, a)).toBe(overlap);
  });

  it('names two rules of a bucket differently', () => {
    const one = cosRuleOf('photos', '{"event":"cos:ObjectCreated:*","filter":{"Prefix":"a/","Suffix":""}}');
    const two = cosRuleOf('photos', '{"event":"cos:ObjectCreated:*","filter":{"Prefix":"b/"}}');
    expect(cosStateName(one)).toMatch(/^photos~[0-9a-f]{8}$/);
    expect(cosStateName(one)).not.toBe(cosStateName(two));
  });
});
