import { createReadStream, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { buffer } from 'node:stream/consumers';
import { setTimeout as delay } from 'node:timers/promises';
import { ZipFile } from 'yazl';
import { LaunchError } from '../launch.errors.ts';
import { REPOSITORY } from '../services/services.ts';
import { elseWhen, type CloudClient } from './cloud-client.ts';

/** Names of the functions. */
export const HELLO = 'hello';
export const HELLO_PYTHON = 'hello-python';

const ACTIVE_WITHIN_MS = 60_000;

/** Creates the function from examples/hello, or gives it the example's code when it is there; waits until it is Active. */
export async function deployHello(
  client: CloudClient,
  name: string,
  language: 'nodejs' | 'python',
  runtime: string,
): Promise<void> {
  const ZipFile = await zipOf(join(REPOSITORY, 'examples/hello', language, 'src'));
  const create = {
    FunctionName: name,
    Runtime: runtime,
    Handler: 'index.main_handler',
    MemorySize: 128,
    Timeout: 10,
    Description: 'Answers with a greeting and the event',
  };
  await elseWhen(
    ['ResourceNotFound'],
    () => client.UpdateFunctionCode({ FunctionName: name, Handler: 'index.main_handler', ZipFile }),
    () => client.CreateFunction({ ...create, Code: { ZipFile } }),
  );
  await untilActive(client, name);
}

async function untilActive(client: CloudClient, name: string): Promise<void> {
  for (const deadline = Date.now() + ACTIVE_WITHIN_MS; Date.now() < deadline; await delay(100)) {
    const { Status, StatusDesc } = await client.GetFunction({ FunctionName: name });
    if (Status === 'Active') return;
    if (Status?.endsWith('Failed')) throw new LaunchError(`function ${name} is ${Status}: ${StatusDesc}`);
  }
  throw new LaunchError(`function ${name} was not Active within ${ACTIVE_WITHIN_MS / 1_000} s.`);
}

async function zipOf(folder: string): Promise<string> {
  const zip = new ZipFile();
  for (const file of readdirSync(folder, { recursive: true, withFileTypes: true })) {
    if (!file.isFile()) continue;
    const path = join(file.parentPath, file.name);
    zip.addReadStream(createReadStream(path), path.slice(folder.length + 1));
  }
  zip.end();
  return (await buffer(zip.outputStream)).toString('base64');
}
