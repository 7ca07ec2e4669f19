import { buffer } from 'node:stream/consumers';
import { eventually, uniqueName } from '@openscf/testing';
import { Kafka, logLevel } from 'kafkajs';
import { Client as MinioClient } from 'minio';
import tencentcloud from 'tencentcloud-sdk-nodejs-scf';
import { afterAll, beforeAll, beforeEach, describe, expect, it, onTestFailed } from 'vitest';
import { ZipFile } from 'yazl';
import { startDeployment, type Deployment } from './deployment.js';
import { ports } from './engine.js';

type CloudClient = InstanceType<typeof tencentcloud.scf.v20180416.Client>;

const SOURCE = `exports.main_handler = async (event) => { console.log('event', JSON.stringify(event)); return { seen: event } }`;
const WITHIN = { timeoutMs: 30_000, intervalMs: 200 };
const name = uniqueName('compose');

let deployment: Deployment | undefined;
let cloud: CloudClient;

beforeAll(async () => {
  deployment = await startDeployment();
  const { TENCENTCLOUD_SECRET_ID: secretId, TENCENTCLOUD_SECRET_KEY: secretKey } = deployment.credentials;
  cloud = new tencentcloud.scf.v20180416.Client({
    credential: { secretId, secretKey },
    region: 'ap-guangzhou',
    profile: {
      httpProfile: { endpoint: `127.0.0.1:${ports.gateway}`, protocol: 'http://', reqTimeout: 60 },
    },
  });
}, 240_000);

beforeEach(() => {
  onTestFailed(async () => console.error(await deployment?.logs()));
});

afterAll(async () => void (await deployment?.stop()));

async function trigger(type: string, triggerName: string, description: unknown): Promise<void> {
  await cloud.CreateTrigger({
    FunctionName: name,
    TriggerName: triggerName,
    Type: type,
    TriggerDesc: JSON.stringify(description),
    Enable: 'OPEN',
  });
}

/** The log of the first finished request that printed `text`, or that has this id. */
function logOf(sought: { text: string } | { requestId: string }) {
  return eventually(async () => {
    const byId = 'requestId' in sought && { FunctionRequestId: sought.requestId };
    const { Data = [] } = await cloud.GetFunctionLogs({ FunctionName: name, ...byId });
    return Data.find(
      ({ InvokeFinished, Log }) =>
        InvokeFinished === 1 && (!('text' in sought) || Log?.includes(sought.text)),
    );
  }, WITHIN);
}

describe('the platform of docker-compose.yml', () => {
  it('creates a function and runs it, now and later', async () => {
    const zip = new ZipFile();
    zip.addBuffer(Buffer.from(SOURCE), 'index.js');
    zip.end();
    await cloud.CreateFunction({
      FunctionName: name,
      Runtime: 'Nodejs20.19',
      Handler: 'index.main_handler',
      MemorySize: 128,
      Timeout: 10,
      Code: { ZipFile: (await buffer(zip.outputStream)).toString('base64') },
    });
    await eventually(
      async () => (await cloud.GetFunction({ FunctionName: name })).Status === 'Active',
      WITHIN,
    );

    const sync = await cloud.Invoke({ FunctionName: name, ClientContext: '{"n":1}' });
    expect(sync.Result).toMatchObject({ InvokeResult: 0, RetMsg: '{"seen":{"n":1}}', ErrMsg: '' });
    const syncLog = await logOf({ requestId: sync.Result?.FunctionRequestId ?? '' });
    expect(syncLog.Log).toContain('event {"n":1}');

    const later = await cloud.Invoke({
      FunctionName: name,
      InvocationType: 'Event',
      ClientContext: '{"n":2}',
    });
    const log = await logOf({ requestId: later.Result?.FunctionRequestId ?? '' });
    expect(log).toMatchObject({ RetMsg: '{"seen":{"n":2}}', RetCode: 0 });
  });

  it('fires it by a record of the published Kafka', async () => {
    const topic = uniqueName('orders');
    const kafka = new Kafka({ brokers: [`127.0.0.1:${ports.kafka}`], logLevel: logLevel.NOTHING });
    const admin = kafka.admin();
    const producer = kafka.producer();
    await Promise.all([admin.connect(), producer.connect()]);
    await admin.createTopics({ topics: [{ topic, numPartitions: 1 }] });
    await trigger('ckafka', `ckafka-local-${topic}`, {
      maxMsgNum: 1,
      offset: 'earliest',
      retry: 10_000,
      timeOut: 1,
    });
    await producer.send({ topic, messages: [{ value: 'an order' }] });
    await Promise.all([admin.disconnect(), producer.disconnect()]);
    const log = await logOf({ text: topic });
    expect(log.Log).toContain('an order');
  });

  it('fires it by an object put into the published MinIO', async () => {
    const bucket = uniqueName('photos');
    const objects = new MinioClient({
      endPoint: '127.0.0.1',
      port: ports.minio,
      useSSL: false,
      accessKey: deployment?.credentials['MINIO_ACCESS_KEY'],
      secretKey: deployment?.credentials['MINIO_SECRET_KEY'],
    });
    await objects.makeBucket(bucket);
    await trigger('cos', bucket, { event: 'cos:ObjectCreated:*', filter: { Prefix: '', Suffix: '' } });
    // Until the bucket reports, nobody hears of what is put into it.
    let count = 0;
    const log = await eventually(async () => {
      count += 1;
      await objects.putObject(bucket, `picture-${count}.txt`, 'hello');
      const { Data = [] } = await cloud.GetFunctionLogs({ FunctionName: name });
      return Data.find(({ Log }) => Log?.includes(bucket));
    }, WITHIN);
    expect(log.Log).toContain('picture-');
  });

  it('stops and leaves nothing', async () => {
    const left = await deployment?.stop();
    deployment = undefined;
    expect(left).toEqual([]);
  });
});
