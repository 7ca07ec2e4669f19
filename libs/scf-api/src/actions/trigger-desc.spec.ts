import { expect, it } from 'vitest';
import { parseCkafkaDesc, parseCosDesc, parseTimerDesc } from './trigger-desc.schema.js';

it('reads a Kafka trigger with its defaults', () => {
  expect(parseCkafkaDesc('{"maxMsgNum":5,"offset":"earliest"}')).toEqual({
    maxMsgNum: 5,
    offset: 'earliest',
    retry: 10_000,
    timeOut: 60,
    consumerGroupName: '',
  });
  expect(parseCkafkaDesc('').offset).toBe('latest');
});

it('reads a bucket trigger', () => {
  const desc = '{"event":"cos:ObjectCreated:*","filter":{"Prefix":"in/"}}';
  expect(parseCosDesc(desc)).toEqual({ event: 'cos:ObjectCreated:*', filter: { Prefix: 'in/', Suffix: '' } });
});

it('reads a cron of 7 or 5 fields, also as it is read back', () => {
  expect(parseTimerDesc('0 */5 * * * * *').cron).toBe('0 */5 * * * * *');
  expect(parseTimerDesc(' */5  * * * *').cron).toBe('0 */5 * * * * *');
  expect(parseTimerDesc('{"cron":"* * * * * * *"}').cron).toBe('* * * * * * *');
});

it.each([
  [() => parseCkafkaDesc('{"maxMsgNum":0}'), 'InvalidParameterValue.Ckafka', 'TriggerDesc.maxMsgNum 0'],
  [() => parseCkafkaDesc('{'), 'InvalidParameterValue.TriggerDesc', 'JSON'],
  [() => parseCosDesc('{"event":"cos:ObjectEaten:*"}'), 'InvalidParameterValue.Cos', 'TriggerDesc.event'],
  [() => parseCosDesc('{}'), 'InvalidParameterValue.TriggerDesc', 'TriggerDesc.event is missing'],
  [() => parseTimerDesc('* *'), 'InvalidParameterValue.TriggerCronConfig', '7 fields'],
  [() => parseTimerDesc(''), 'InvalidParameterValue.TriggerCronConfig', '7 fields'],
])('refuses what is wrong: %s', (read, code, part) => {
  expect(read).toThrowError(expect.objectContaining({ code, message: expect.stringContaining(part) }));
});
