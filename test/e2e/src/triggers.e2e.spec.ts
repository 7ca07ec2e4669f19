import { execFileSync } from 'node:child_process';
import { describe, expect, it } from 'vitest';
import { keysOf, makeBucket, objectOf } from './bucket.fixture.js';
import { exampleSource, storeEnvironment, zipOfExample } from './example.fixture.js';
import { makeFunction, uniqueName, type FunctionUnderTest } from './function.fixture.js';
import { logOf, logsOf } from './function.logs.js';
import { hasNoMembers, untilBridgeHasRead } from './kafka.probe.js';
import { cloud, kafka, kill, objects, platform, statusOf } from './platform.js';
import { testPicture } from './picture.factory.js';
import { until } from './until.js';
import { zipOfFolder } from './zip.factory.js';

const ECHO = `exports.main_handler = async (event) => event`;

/** The events that a function has answered with, in the order of their start. */
async function eventsOf(fn: FunctionUnderTest): Promise<unknown[]> {
  return (await logsOf(fn.name)).map((log) => JSON.parse(log.RetMsg ?? 'null') as unknown);
}

async function setTrigger(
  fn: FunctionUnderTest,
  type: string,
  name: string,
  Enable: 'OPEN' | 'CLOSE',
  TriggerDesc = '',
): Promise<void> {
  await cloud.UpdateTriggerStatus({
    FunctionName: fn.name,
    TriggerName: name,
    Type: type,
    Enable,
    TriggerDesc,
  });
}

/** The bucket reports its changes to the platform, or does not any more. */
async function untilReporting(bucket: string, expected: boolean): Promise<void> {
  await until(`the bucket ${expected ? 'reports' : 'is silent'}`, async () => {
    const rules: unknown = await objects.getBucketNotification(bucket);
    return JSON.stringify(rules).includes('openscf') === expected;
  });
}

/** Produces with a Kafka client that shares nothing with the platform's. */
function kcat(topic: string, input: string): void {
  execFileSync('kcat', ['-P', '-b', platform.kafka, '-t', topic, '-p', '0'], { input });
}

async function makeTopic(): Promise<string> {
  const topic = uniqueName('e2e');
  const admin = kafka().admin();
  await admin.connect();
  await admin.createTopics({ topics: [{ topic, numPartitions: 1 }] });
  await admin.disconnect();
  return topic;
}

describe('a bucket trigger', () => {
  const CREATED = { event: 'cos:ObjectCreated:*', filter: { Prefix: '', Suffix: '' } };

  it('turns a picture into a thumbnail in another bucket', async () => {
    const [photos, thumbnails] = [await makeBucket(), await makeBucket()];
    const fn = await makeFunction({
      zip: await zipOfExample('thumbnail'),
      Runtime: 'Nodejs20.19',
      MemorySize: 256,
      Timeout: 30,
      Environment: storeEnvironment(thumbnails),
    });
    await fn.trigger('cos', photos, { ...CREATED, filter: { Prefix: '', Suffix: '.png' } });
    await objects.putObject(photos, 'cats/black cat+1.png', testPicture(800, 600));
    const thumbnail = await objectOf(thumbnails, 'cats/black cat+1.webp');
    expect(thumbnail.subarray(0, 4).toString()).toBe('RIFF');
    expect(thumbnail.subarray(8, 12).toString()).toBe('WEBP');
    // Width less one, in the header of a lossy WebP.
    expect(thumbnail.readUInt16LE(26) & 0x3fff).toBe(200);
  });

  it("sends SCF's event once for each put, by prefix and suffix, and for removals when asked", async () => {
    const bucket = await makeBucket();
    const fn = await makeFunction({ source: ECHO });
    await fn.trigger('cos', `${bucket}-1250000000.cos.ap-guangzhou.myqcloud.com`, {
      event: 'cos:ObjectCreated:*',
      filter: { Prefix: 'in/', Suffix: '.txt' },
    });
    await untilReporting(bucket, true);
    await objects.putObject(bucket, 'in/a b.txt', 'hello');
    await objects.putObject(bucket, 'in/a.jpg', 'no');
    await objects.putObject(bucket, 'out/a.txt', 'no');
    await objects.putObject(bucket, 'in/last.txt', 'hello');
    const events = await until('two events', async () => {
      const found = await eventsOf(fn);
      return found.length >= 2 && found;
    });
    await untilBridgeHasRead(`${bucket}/in/last.txt`);
    // What the late report would have started has been accepted before this one.
    await logOf(fn.name, await fn.invokeAsync('marker'));
    expect((await eventsOf(fn)).filter((event) => event !== 'marker')).toHaveLength(2);
    expect(events).toContainEqual({
      Records: [
        expect.objectContaining({
          cos: expect.objectContaining({
            cosBucket: expect.objectContaining({ name: bucket, appid: '1250000000' }) as unknown,
            cosObject: expect.objectContaining({
              key: `/1250000000/${bucket}/in/a b.txt`,
              size: 5,
            }) as unknown,
          }) as unknown,
          event: expect.objectContaining({ eventName: 'cos:ObjectCreated:Put' }) as unknown,
        }),
      ],
    });
  });

  it('is changed and removed without a restart', async () => {
    const bucket = await makeBucket();
    const fn = await makeFunction({ source: ECHO });
    const description = JSON.stringify(CREATED);
    await fn.trigger('cos', bucket, description);
    await objects.putObject(bucket, 'one', '1');
    await until('the first event', async () => (await eventsOf(fn)).length === 1);
    await setTrigger(fn, 'cos', bucket, 'CLOSE', description);
    await untilReporting(bucket, false);
    await objects.putObject(bucket, 'two', '2');
    await setTrigger(fn, 'cos', bucket, 'OPEN', description);
    await objects.putObject(bucket, 'three', '3');
    await until('the event after enabling', async () => (await eventsOf(fn)).length === 2);
    expect(JSON.stringify(await eventsOf(fn))).not.toContain('/two');
    await cloud.DeleteTrigger({
      FunctionName: fn.name,
      TriggerName: bucket,
      Type: 'cos',
      TriggerDesc: description,
    });
    await untilReporting(bucket, false);
  });
});

describe('a Kafka trigger', () => {
  const description = { maxMsgNum: 100, offset: 'latest', retry: 10_000, timeOut: 1 };

  it('keeps records of kcat as objects', async () => {
    const [topic, archive] = [await makeTopic(), await makeBucket()];
    const fn = await makeFunction({
      zip: await zipOfExample('kafka-archive'),
      Timeout: 20,
      Environment: storeEnvironment(archive),
    });
    await fn.trigger('ckafka', `ckafka-local-${topic}`, description);
    kcat(topic, 'a hundred apples\ntwo pears\n');
    const lines = await until('both records', async () => {
      const objectsMade = await Promise.all((await keysOf(archive)).map((key) => objectOf(archive, key)));
      const all = objectsMade.flatMap((bytes) => bytes.toString().trim().split('\n'));
      return all.length >= 2 && all;
    });
    expect(lines.map((line) => JSON.parse(line) as unknown)).toEqual([
      { topic, partition: 0, offset: 0, msgKey: 'None', msgBody: 'a hundred apples' },
      { topic, partition: 0, offset: 1, msgKey: 'None', msgBody: 'two pears' },
    ]);
  });

  it('retries a batch until the function takes it, in order, and loses nothing', async () => {
    const topic = await makeTopic();
    const fn = await makeFunction({
      source: `exports.main_handler = async (event) => {
        const bodies = event.Records.map((r) => r.Ckafka.msgBody);
        if (bodies.includes('bad') && process.env.MENDED !== 'yes') throw new Error('cannot take it');
        return bodies;
      }`,
    });
    await fn.trigger('ckafka', `ckafka-local-${topic}`, { ...description, maxMsgNum: 1 });
    kcat(topic, 'first\nbad\nlast\n');
    const failed = await until('two failed attempts', async () => {
      const found = (await logsOf(fn.name)).filter((log) => log.RetCode !== 0);
      return found.length >= 2 && found;
    });
    expect(new Set(failed.map((log) => log.RequestId)).size).toBe(1);
    expect(failed.slice(0, 2).map((log) => log.RetryNum)).toEqual([0, 1]);
    await cloud.UpdateFunctionConfiguration({
      FunctionName: fn.name,
      Environment: { Variables: [{ Key: 'MENDED', Value: 'yes' }] },
    });
    const done = await until('the last record', async () => {
      const found = (await logsOf(fn.name)).filter((log) => log.RetCode === 0).map((log) => log.RetMsg);
      return found.includes('["last"]') && found;
    });
    expect(done).toEqual(['["first"]', '["bad"]', '["last"]']);
  });

  it('goes on where it was when it is disabled and enabled', async () => {
    const topic = await makeTopic();
    const fn = await makeFunction({ source: ECHO });
    const name = `ckafka-local-${topic}`;
    const consumerGroupName = uniqueName('group');
    await fn.trigger('ckafka', name, { ...description, consumerGroupName });
    kcat(topic, 'one\n');
    await until('the first event', async () => (await eventsOf(fn)).length === 1);
    await setTrigger(fn, 'ckafka', name, 'CLOSE');
    await until('its consumer has left', () => hasNoMembers(consumerGroupName));
    kcat(topic, 'two\n');
    await setTrigger(fn, 'ckafka', name, 'OPEN');
    await until('the second event', async () => (await eventsOf(fn)).length === 2);
    expect(JSON.stringify(await eventsOf(fn))).toContain('two');
  });
});

describe('a timer', () => {
  it('of every second fires ten times in ten seconds, and no tick twice after a restart', async () => {
    const fn = await makeFunction({ source: ECHO });
    await fn.trigger('timer', 'tick', '* * * * * * *', 'hello');
    const ticks = async (): Promise<string[]> =>
      (await eventsOf(fn)).map((event) => (event as { Time: string }).Time);
    const first = await until('the first tick', async () => (await ticks()).sort()[0]);
    const start = Date.parse(first);
    const expected = (count: number): string[] =>
      Array.from({ length: count }, (_, i) => `${new Date(start + i * 1_000).toISOString().slice(0, 19)}Z`);
    await until('ten ticks', async () => (await ticks()).length >= 10);
    expect(Date.now() - start).toBeLessThan(14_000);

    const before = await statusOf('trigger-bridge');
    await kill('trigger-bridge');
    await until(
      'the bridge is back',
      async () => {
        const now = await statusOf('trigger-bridge');
        return now.healthy && now.pid !== before.pid;
      },
      60_000,
    );
    const many = Math.floor((Date.now() - start) / 1_000) + 5;
    const seen = await until(
      `${many} ticks`,
      async () => {
        const found = await ticks();
        return found.length >= many && found;
      },
      60_000,
    );
    expect(seen.sort().slice(0, many)).toEqual(expected(many));
    expect((await eventsOf(fn))[0]).toEqual({
      Type: 'Timer',
      TriggerName: 'tick',
      Time: first,
      Message: 'hello',
    });
  });

  it('has the example report on its ticks', async () => {
    const fn = await makeFunction({
      zip: await zipOfFolder(exampleSource('cron-report')),
      Runtime: 'Python3.11',
    });
    await fn.trigger('timer', 'every-second', '* * * * * * *', 'nightly');
    const [log] = await until('a report', async () => {
      const found = await logsOf(fn.name);
      return found.length > 0 && found;
    });
    const report = JSON.parse(log?.RetMsg ?? '{}') as Record<string, unknown>;
    expect(report).toMatchObject({ report: 'nightly', runsOfThisInstance: 1, function: fn.name });
    expect(report['lateSeconds']).toBeGreaterThanOrEqual(0);
    expect(report['lateSeconds']).toBeLessThan(10);
    expect(log?.Log).toContain('"runsOfThisInstance": 1');
  });
});
