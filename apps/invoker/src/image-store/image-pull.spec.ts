import { availableParallelism } from 'node:os';
import { fileURLToPath } from 'node:url';
import { ImageError } from '@openscf/oci';
import { expect, it, vi } from 'vitest';
import { ProcessSandboxDriver } from '../instance/process-sandbox.driver.fake.js';
import { InvokerFake } from '../invoker.fake.js';
import { CUSTOM_IMAGE } from './image-availability.policy.js';
import type { ImageLease } from './image-store.types.js';

const bootstrap = fileURLToPath(new URL('../../../../libs/runtimes/nodejs/bootstrap.cjs', import.meta.url));
const node = {
  name: 'Nodejs20.19',
  language: 'nodejs',
  version: process.version,
  command: [process.execPath, bootstrap] as [string, string],
  env: {},
  mounts: [],
  rootfs: '/',
};
const ECHO = { 'index.js': 'exports.main_handler = async (event) => event' };
const IMAGE = { kind: 'image' as const, imageUri: 'registry/app:1', digest: 'sha256:1', sizeBytes: 1 };

it('starts functions while the images of others are pulled, more of them than start at once', async () => {
  const pull = Promise.withResolvers<ImageLease>();
  const acquire = vi.fn(() => pull.promise);
  const images = { missing: undefined, has: () => false, acquire, prefetch: () => Promise.resolve() };
  const host = { rootfs: '/', agent: '/agent' };
  const driver = new ProcessSandboxDriver();
  const invoker = await InvokerFake.start(driver, [node], { memoryMb: 8_192 }, { images }, host);
  const code = { ...IMAGE, command: [], args: [], port: 9000 };
  const pulling = Array.from({ length: availableParallelism() + 3 }, async (_, n) =>
    invoker.invoke(await invoker.deploy(`image-${n}`, {}, { runtime: CUSTOM_IMAGE, code }), n),
  );
  await vi.waitFor(() => expect(acquire).toHaveBeenCalledTimes(pulling.length), 10_000);

  const other = await invoker.invoke(await invoker.deploy('other', ECHO), 'now');
  expect(other.outcome.statusCode).toBe(200);

  pull.reject(new ImageError('not-found', IMAGE.imageUri, 'it is gone'));
  for (const { outcome } of await Promise.all(pulling)) expect(outcome.kind).toBe('failed');
  expect((await invoker.invoke(await invoker.deploy('next', ECHO), 1)).outcome.statusCode).toBe(200);
  await invoker.stop();
  expect(driver.living.size).toBe(0);
});
