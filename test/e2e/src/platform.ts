/** The platform of this run, through the clients that people use. */
import { Kafka, logLevel } from 'kafkajs';
import { Client as MinioClient } from 'minio';
import tencentcloud from 'tencentcloud-sdk-nodejs-scf';
import { inject } from 'vitest';
import type { ProcessName, ProcessStatus } from './control.server.js';

export const platform = inject('platform');

export type CloudClient = InstanceType<typeof tencentcloud.scf.v20180416.Client>;
export type CreateFunctionRequest = Parameters<CloudClient['CreateFunction']>[0];
/** The SDK's model says that every field may be missing; the protocol says that none is. */
export type InvokeResult = Required<NonNullable<Awaited<ReturnType<CloudClient['Invoke']>>['Result']>>;

/** The official SDK, unmodified. */
export const cloud: CloudClient = new tencentcloud.scf.v20180416.Client({
  credential: { secretId: platform.secretId, secretKey: platform.secretKey },
  region: 'ap-guangzhou',
  profile: {
    httpProfile: { endpoint: new URL(platform.gateway).host, protocol: 'http://', reqTimeout: 60 },
  },
});

/** An S3 client with the users' key. */
export const objects = objectStoreOf(platform.minioAccessKey, platform.minioSecretKey);

/** An S3 client that sees the platform's own bucket as well. */
export const everyObject = objectStoreOf(platform.minioRootUser, platform.minioRootPassword);

function objectStoreOf(accessKey: string, secretKey: string): MinioClient {
  const { hostname, port } = new URL(platform.minio);
  const place = { endPoint: hostname, port: Number(port), useSSL: false, region: 'us-east-1' };
  return new MinioClient({ ...place, accessKey, secretKey });
}

export function kafka(): Kafka {
  return new Kafka({ clientId: 'e2e', brokers: [platform.kafka], logLevel: logLevel.NOTHING });
}

/** How a process of the platform is. */
export async function statusOf(name: ProcessName): Promise<ProcessStatus> {
  const response = await fetch(`${platform.control}/${name}`);
  return (await response.json()) as ProcessStatus;
}

export async function kill(name: ProcessName, signal: NodeJS.Signals = 'SIGKILL'): Promise<void> {
  await fetch(`${platform.control}/${name}?signal=${signal}`, { method: 'POST' });
}

/** The code of the error that a call of the API ends with. */
export async function codeOf(call: Promise<unknown>): Promise<string> {
  try {
    await call;
  } catch (error) {
    return error instanceof Error && 'code' in error ? String(error.code) : String(error);
  }
  return 'no error';
}
