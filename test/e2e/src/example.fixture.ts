import { execFile } from 'node:child_process';
import { cp, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { platform } from './platform.js';
import { zipOfFolder } from './zip.factory.js';

const examples = fileURLToPath(new URL('../../../examples', import.meta.url));

/** The folder that an example deploys. */
export function exampleSource(name: string): string {
  return join(examples, name, 'src');
}

/** The zip of an example, with its dependencies installed as its README says, beside the repository. */
export async function zipOfExample(name: string): Promise<Buffer> {
  const folder = await mkdtemp(join(tmpdir(), 'openscf-example-'));
  try {
    await cp(exampleSource(name), folder, { recursive: true });
    await promisify(execFile)('npm', ['ci', '--no-audit', '--no-fund', '--prefer-offline'], { cwd: folder });
    return await zipOfFolder(folder);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

/** The examples' variables for an S3 client inside a function. */
export function storeEnvironment(targetBucket: string): { Variables: { Key: string; Value: string }[] } {
  const variables = {
    S3_ENDPOINT: 'http://minio.openscf.internal:9000',
    S3_ACCESS_KEY: platform.minioAccessKey,
    S3_SECRET_KEY: platform.minioSecretKey,
    TARGET_BUCKET: targetBucket,
  };
  return { Variables: Object.entries(variables).map(([Key, Value]) => ({ Key, Value })) };
}
