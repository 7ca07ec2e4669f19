import { randomUUID } from 'node:crypto';
import { Kafka, logLevel, Partitioners } from 'kafkajs';
import { Client as MinioClient } from 'minio';
import type { Keys } from '../home/keys.ts';
import { LaunchError } from '../launch.errors.ts';
import type { Settings } from '../settings.ts';
import { elseWhen, findResult, type CloudClient, type Fired } from './cloud-client.ts';
import { HELLO } from './deploy.ts';

const TOPIC = 'hello';
const BUCKET = 'hello';
const TIMER = 'first-light';

export async function fireBySdk(client: CloudClient, functionName: string): Promise<Fired> {
  const sinceMs = Date.now();
  const { Result } = await client.InvokeFunction({
    FunctionName: functionName,
    Event: JSON.stringify({ name: 'first light' }),
  });
  if (Result?.InvokeResult !== 0)
    throw new LaunchError(`request ${Result?.FunctionRequestId} failed: ${Result?.RetMsg}`);
  return {
    requestId: Result.FunctionRequestId ?? '',
    tookMs: Date.now() - sinceMs,
    functionMs: Result.Duration ?? 0,
    answer: Result.RetMsg ?? '',
  };
}

export async function fireByKafka(client: CloudClient, { ports }: Settings): Promise<Fired> {
  const kafka = new Kafka({
    clientId: 'first-light',
    brokers: [`127.0.0.1:${ports.kafka}`],
    logLevel: logLevel.NOTHING,
  });
  const admin = kafka.admin();
  const producer = kafka.producer({ createPartitioner: Partitioners.DefaultPartitioner });
  try {
    await Promise.all([admin.connect(), producer.connect()]);
    await admin.createTopics({ topics: [{ topic: TOPIC, numPartitions: 1 }] });
    const description = { maxMsgNum: 1, offset: 'earliest', retry: 10_000, timeOut: 1 };
    await ensureTrigger(client, 'ckafka', `ckafka-local-${TOPIC}`, JSON.stringify(description));
    const mark = randomUUID();
    const sinceMs = Date.now();
    await producer.send({ topic: TOPIC, messages: [{ value: JSON.stringify({ mark }) }] });
    return await findResult(client, HELLO, mark, sinceMs);
  } finally {
    await Promise.all([admin.disconnect(), producer.disconnect()]);
  }
}

export async function fireByObject(client: CloudClient, { ports }: Settings, keys: Keys): Promise<Fired> {
  const credentials = { accessKey: keys.minioAccessKey, secretKey: keys.minioSecretKey };
  const minio = new MinioClient({ endPoint: '127.0.0.1', port: ports.minio, useSSL: false, ...credentials });
  if (!(await minio.bucketExists(BUCKET))) await minio.makeBucket(BUCKET);
  const description = { event: 'cos:ObjectCreated:*', filter: { Prefix: '', Suffix: '' } };
  await ensureTrigger(client, 'cos', BUCKET, JSON.stringify(description));
  const mark = randomUUID();
  const sinceMs = Date.now();
  await minio.putObject(BUCKET, `first-light/${mark}.txt`, 'hello');
  const fired = await findResult(client, HELLO, mark, sinceMs);
  await minio.removeObject(BUCKET, `first-light/${mark}.txt`);
  return fired;
}

/** The timer ticks each second; it is removed again, or it would do so for ever. */
export async function fireByTimer(client: CloudClient): Promise<Fired> {
  const mark = randomUUID();
  const remove = () => client.DeleteTrigger({ FunctionName: HELLO, TriggerName: TIMER, Type: 'timer' });
  await elseWhen(['ResourceNotFound'], remove, async () => ({})); // left by a start that was killed
  const sinceMs = Date.now();
  await client.CreateTrigger({
    FunctionName: HELLO,
    TriggerName: TIMER,
    Type: 'timer',
    TriggerDesc: '* * * * * * *',
    Enable: 'OPEN',
    CustomArgument: mark,
  });
  try {
    return await findResult(client, HELLO, mark, sinceMs);
  } finally {
    await remove();
  }
}

async function ensureTrigger(
  client: CloudClient,
  type: string,
  name: string,
  description: string,
): Promise<void> {
  await elseWhen<unknown>(
    ['ResourceInUse'],
    () =>
      client.CreateTrigger({
        FunctionName: HELLO,
        TriggerName: name,
        Type: type,
        TriggerDesc: description,
        Enable: 'OPEN',
      }),
    async () => ({}),
  );
}
