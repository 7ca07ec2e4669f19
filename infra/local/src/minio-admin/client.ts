// The few calls of MinIO's admin API that the launcher needs.
import { setTimeout as delay } from 'node:timers/promises';
import { sealAdminBody } from './body-encryption.ts';
import { queryText, signedHeaders, type AdminCall } from './signature.ts';

/** MinIO says that it is ready a little before its users are: how long calls wait for that. */
const START_MS = 30_000;

export interface MinioAdmin {
  url: string;
  rootUser: string;
  rootPassword: string;
}

/**
 * Makes the S3 user for people, or brings it back to what it should be: every bucket but the platform's own, which it can
 * neither read nor write nor list.
 */
export async function ensurePeopleUser(
  admin: MinioAdmin,
  user: { accessKey: string; secretKey: string; closedBucket: string },
): Promise<void> {
  const policyName = 'openscf-people';
  const closed = [`arn:aws:s3:::${user.closedBucket}`, `arn:aws:s3:::${user.closedBucket}/*`];
  const policy = {
    Version: '2012-10-17',
    Statement: [
      { Effect: 'Allow', Action: ['s3:*'], Resource: ['arn:aws:s3:::*'] },
      { Effect: 'Deny', Action: ['s3:*'], Resource: closed },
      // Without the right to list all buckets MinIO lists those that the user may look into.
      { Effect: 'Deny', Action: ['s3:ListAllMyBuckets'], Resource: ['arn:aws:s3:::*'] },
    ],
  };
  const { accessKey, secretKey } = user;
  const attach = { policyName, userOrGroup: accessKey, isGroup: 'false' };
  for (const deadline = Date.now() + START_MS; ; await delay(50)) {
    try {
      await call(admin, 'PUT', 'add-canned-policy', { name: policyName }, plain(policy));
      await call(admin, 'PUT', 'add-user', { accessKey }, sealed(admin, { secretKey, status: 'enabled' }));
      await call(admin, 'PUT', 'set-user-or-group-policy', attach, Buffer.alloc(0));
      return;
    } catch (error) {
      // A MinIO that has just started reads its policies once more behind its first answers, and may forget new ones.
      if (!String(error).includes('XMinioAdminNoSuch') || Date.now() > deadline) throw error;
    }
  }
}

async function call(
  admin: MinioAdmin,
  method: AdminCall['method'],
  name: string,
  query: AdminCall['query'],
  body: Buffer,
): Promise<void> {
  for (const deadline = Date.now() + START_MS; ; await delay(50)) {
    const answer = await callOnce(admin, method, name, query, body);
    if (answer === 'done') return;
    if (!answer.includes('XMinioServerNotInitialized') || Date.now() > deadline)
      throw new Error(`MinIO refused ${name}: ${answer}`);
  }
}

async function callOnce(
  admin: MinioAdmin,
  method: AdminCall['method'],
  name: string,
  query: AdminCall['query'],
  body: Buffer,
): Promise<string> {
  const { host } = new URL(admin.url);
  const path = `/minio/admin/v3/${name}`;
  const headers = signedHeaders(
    { method, host, path, query, body },
    admin.rootUser,
    admin.rootPassword,
    new Date(),
  );
  const content = body.length > 0 ? new Uint8Array(body) : undefined;
  const answer = await fetch(`${admin.url}${path}?${queryText(query)}`, { method, headers, body: content });
  const text = await answer.text();
  return answer.ok ? 'done' : `${answer.status} ${text.slice(0, 300)}`;
}

function plain(value: object): Buffer {
  return Buffer.from(JSON.stringify(value));
}

function sealed(admin: MinioAdmin, value: object): Buffer {
  return sealAdminBody(admin.rootPassword, plain(value));
}
