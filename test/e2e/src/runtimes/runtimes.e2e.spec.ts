/** Every runtime that this host has prepared, and the names that it cannot serve, through the official SDK. */
import { readFileSync } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { makeFunction, uniqueName } from '../function.fixture.js';
import { cloud } from '../platform.js';
import { zipOf } from '../zip.factory.js';
import { hellosOf } from './hello-programs.js';

interface Manifest {
  runtimes: { name: string; language: string }[];
  missing: Record<string, string>;
}

const cache = process.env['OPENSCF_CACHE'] || join(homedir(), '.cache/openscf');
const manifest = JSON.parse(readFileSync(join(cache, 'runtimes/runtimes.json'), 'utf8')) as Manifest;
const prepared = manifest.runtimes.flatMap((runtime) =>
  hellosOf(runtime).map((hello) => ({ runtime: runtime.name, form: hello.form, hello })),
);
const event = { name: 'Ada', list: [1, 'zwei', null], 键: '值' };

describe('the runtimes of this host', () => {
  it.each(prepared)('run $runtime ($form)', async ({ runtime, hello }) => {
    const fn = await makeFunction({
      Runtime: runtime,
      Handler: hello.handler,
      MemorySize: 256,
      zip: await hello.zip(),
    });
    // Twice: cold, then warm in the same instance.
    for (let n = 0; n < 2; n += 1) {
      const { InvokeResult, RetMsg, ErrMsg, Log, FunctionRequestId } = await fn.invoke(sent(hello.form));
      expect({ InvokeResult, ErrMsg }).toEqual({ InvokeResult: 0, ErrMsg: '' });
      expect(JSON.parse(RetMsg)).toEqual(hello.result(sent(hello.form), FunctionRequestId));
      expect(Log).toContain(hello.line(sent(hello.form), FunctionRequestId));
      expect(Log).toContain(`Cold: ${n === 0 ? '' : 'no'}`);
    }
  });

  it.each(Object.entries(manifest.missing))('refuse %s, and say why', async (Runtime, reason) => {
    const asked = cloud.CreateFunction({
      FunctionName: uniqueName('e2e'),
      Runtime,
      Handler: 'index.main_handler',
      Code: { ZipFile: (await zipOf({ index: '' })).toString('base64') },
    });
    await expect(asked).rejects.toThrow(reason);
  });
});

/** A class keeps the fields that it has. */
function sent(form: string): object {
  return form === 'objects' ? { name: 'Ada' } : event;
}
