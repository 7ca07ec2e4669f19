import { sql } from '@openscf/persistence';
import { sharedParts, uniqueName } from '@openscf/testing';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { craftZip } from './crafted-zip.factory.js';
import { codeZip, command, createRequest, startRegistry, type TestRegistry } from './registry.factory.js';

const HOUR_MS = 3_600_000;

describe('code packages', () => {
  let registry: TestRegistry;
  beforeAll(async () => {
    registry = await startRegistry(sharedParts().environment);
  });
  beforeEach(async () => {
    for (const key of await registry.objects())
      await registry.store.remove(registry.config.platformBucket, key);
    await registry.database.kysely.deleteFrom('functions').execute();
    await registry.database.kysely.deleteFrom('packages').execute();
  });
  afterAll(() => registry.stop());

  async function create(name: string, zip: Buffer) {
    return registry.functions.createFunction(command(createRequest(name), await registry.upload(zip)));
  }
  const age = (ms: number) =>
    registry.database.kysely
      .updateTable('packages')
      .set({ touched_at: sql<Date>`now() - make_interval(secs => ${ms / 1000})` })
      .execute();

  it.each([
    ['a broken zip', Buffer.from('PK is all it has')],
    ['a zip that climbs out', craftZip([{ name: '../evil.js', content: 'x' }])],
  ])('leaves nothing of %s', async (_what, zip) => {
    await expect(create(uniqueName('f'), zip)).rejects.toMatchObject({
      code: 'InvalidParameterValue.ZipFile',
    });
    expect(await registry.objects()).toEqual([]);
    expect(await registry.database.kysely.selectFrom('packages').selectAll().execute()).toEqual([]);
  });

  it('refuses an upload whose bytes are not those that were announced', async () => {
    const upload = await registry.upload(codeZip());
    const wrong = { ...upload, sha256: 'ab'.repeat(32) };
    const reply = registry.functions.createFunction(command(createRequest(uniqueName('f')), wrong));
    await expect(reply).rejects.toMatchObject({ code: 'InternalError.System' });
    expect(await registry.objects()).toEqual([]);
  });

  it('stores equal content once', async () => {
    await Promise.all([create('one', codeZip()), create('two', codeZip())]);
    expect(await registry.objects()).toHaveLength(1);
  });

  it('sweeps what no function has used for a while, and nothing else', async () => {
    await create('used', codeZip('// used'));
    await create('gone', codeZip('// gone'));
    await registry.functions.deleteFunction(command({ FunctionName: 'gone' }));
    expect(await registry.sweep.sweep(HOUR_MS)).toEqual({ uploads: 0, packages: 0 });
    await age(2 * HOUR_MS);
    await registry.upload(codeZip('// just arrived'));
    expect(await registry.sweep.sweep(HOUR_MS)).toEqual({ uploads: 0, packages: 1 });
    expect(await registry.objects()).toHaveLength(2);
    expect(await registry.sweep.sweep(-HOUR_MS)).toEqual({ uploads: 1, packages: 0 });
  });

  it('counts the while from the update that put other code in its place', async () => {
    await create('one', codeZip('// old'));
    await age(2 * HOUR_MS);
    await registry.functions.updateFunctionCode(
      command({ FunctionName: 'one', ZipFile: '(streamed)' }, await registry.upload(codeZip('// new'))),
    );
    expect(await registry.sweep.sweep(HOUR_MS)).toEqual({ uploads: 0, packages: 0 });
  });

  it('adopts a package that the database does not know, and sweeps it later', async () => {
    await create('one', codeZip());
    await registry.database.kysely.deleteFrom('functions').execute();
    await registry.database.kysely.deleteFrom('packages').execute();
    expect(await registry.sweep.sweep(-HOUR_MS)).toEqual({ uploads: 0, packages: 1 });
    expect(await registry.objects()).toEqual([]);
  });

  it('never takes a package away from a function that is being made of it', async () => {
    for (let round = 0; round < 25; round += 1) {
      await create('again', codeZip());
      await registry.functions.deleteFunction(command({ FunctionName: 'again' }));
      await age(2 * HOUR_MS);
      await Promise.all([create('again', codeZip()), registry.sweep.sweep(HOUR_MS)]);
      expect(await registry.objects()).toHaveLength(1);
      await registry.functions.deleteFunction(command({ FunctionName: 'again' }));
    }
  });
});
