import { randomBytes } from 'node:crypto';
import { onTestFinished } from 'vitest';
import { cloud, codeOf, type CreateFunctionRequest, type InvokeResult } from './platform.js';
import { until } from './until.js';
import { zipOf } from './zip.factory.js';

export interface FunctionUnderTest {
  name: string;
  invoke(event?: unknown): Promise<InvokeResult>;
  /** Accepted for later; the request id. */
  invokeAsync(event?: unknown): Promise<string>;
  updateCode(zip: Buffer): Promise<void>;
  trigger(type: string, name: string, description: unknown, customArgument?: string): Promise<void>;
  remove(): Promise<void>;
}

export type FunctionSettings = Omit<CreateFunctionRequest, 'FunctionName' | 'Code'> & {
  zip?: Buffer;
  /** Instead of a zip: the only file, `index.js` or `index.py`. */
  source?: string;
};

export function uniqueName(start: string): string {
  return `${start}-${randomBytes(4).toString('hex')}`;
}

/** A function that is Active; it is deleted when the test has ended. Call it in a test, or remove it yourself. */
export async function makeFunction(settings: FunctionSettings, cleanUp = true): Promise<FunctionUnderTest> {
  const { zip, source, ...rest } = settings;
  const name = uniqueName('e2e');
  const file = rest.Runtime?.startsWith('Python') ? 'index.py' : 'index.js';
  const code = zip ?? (await zipOf({ [file]: source ?? '' }));
  await cloud.CreateFunction({
    Runtime: 'Nodejs18.15',
    Handler: 'index.main_handler',
    MemorySize: 128,
    Timeout: 10,
    ...rest,
    FunctionName: name,
    Code: { ZipFile: code.toString('base64') },
  });
  const made = functionNamed(name);
  if (cleanUp) onTestFinished(() => made.remove());
  await untilActive(name);
  return made;
}

export async function untilActive(name: string): Promise<void> {
  await until(`${name} is Active`, async () => {
    const { Status, StatusDesc } = await cloud.GetFunction({ FunctionName: name });
    if (Status?.endsWith('Failed')) throw new Error(`${name} is ${Status}: ${StatusDesc}`);
    return Status === 'Active';
  });
}

export function functionNamed(name: string): FunctionUnderTest {
  return {
    name,
    invoke: async (event = {}) => {
      const ClientContext = JSON.stringify(event);
      const { Result } = await cloud.Invoke({ FunctionName: name, ClientContext, LogType: 'Tail' });
      if (!Result) throw new Error('the answer has no Result');
      return Result as InvokeResult;
    },
    invokeAsync: async (event = {}) => {
      const request = { FunctionName: name, InvocationType: 'Event', ClientContext: JSON.stringify(event) };
      const { Result } = await cloud.Invoke(request);
      return Result?.FunctionRequestId ?? '';
    },
    updateCode: async (zip) => {
      const ZipFile = zip.toString('base64');
      await cloud.UpdateFunctionCode({ FunctionName: name, Handler: 'index.main_handler', ZipFile });
      await untilActive(name);
    },
    trigger: async (type, triggerName, description, CustomArgument = '') => {
      await cloud.CreateTrigger({
        FunctionName: name,
        TriggerName: triggerName,
        Type: type,
        TriggerDesc: typeof description === 'string' ? description : JSON.stringify(description),
        Enable: 'OPEN',
        CustomArgument,
      });
    },
    remove: async () => {
      const code = await codeOf(cloud.DeleteFunction({ FunctionName: name }));
      if (code !== 'no error' && !code.startsWith('ResourceNotFound'))
        throw new Error(`${name} is not deleted: ${code}`);
    },
  };
}
