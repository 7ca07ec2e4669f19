import { topics } from '@openscf/contracts';
import { eventually, startOwnParts, uniqueName } from '@openscf/testing';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { codeZip, command, createRequest, startRegistry, type TestRegistry } from './registry.factory.js';

type Parts = Awaited<ReturnType<typeof startOwnParts>>;

describe('the registry when a part is away', () => {
  let parts: Parts;
  let registry: TestRegistry;
  const FunctionName = uniqueName('f');
  beforeAll(async () => {
    parts = await startOwnParts(['kafka', 'postgres', 'minio']);
    registry = await startRegistry(parts.environment);
    await create(FunctionName);
  });
  afterAll(async () => {
    await registry.stop();
    await parts.stop();
  });

  async function create(name: string) {
    return registry.functions.createFunction(command(createRequest(name), await registry.upload(codeZip())));
  }
  const update = (Description: string) =>
    registry.functions.updateFunctionConfiguration(command({ FunctionName, Description }));

  it('PostgreSQL: says so, and works again by itself', async () => {
    await parts.stopOne('postgres');
    await expect(update('away')).rejects.toMatchObject({
      code: 'InternalError.System',
      message: expect.stringContaining('PostgreSQL') as string,
    });
    await parts.startAgain('postgres');
    await eventually(() => update('back'));
  });

  it('the object store: says so, leaves no half-made function, and works again by itself', async () => {
    const name = uniqueName('f');
    const upload = await registry.upload(codeZip('// other'));
    const again = await registry.upload(codeZip('// other'));
    await parts.stopOne('minio');
    const refused = registry.functions.createFunction(command(createRequest(name), upload));
    await expect(refused).rejects.toMatchObject({
      code: 'InternalError.System',
      message: expect.stringContaining('object store') as string,
    });
    const missing = registry.functions.getFunction(command({ FunctionName: name }));
    await expect(missing).rejects.toMatchObject({ code: 'ResourceNotFound.Function' });
    await parts.startAgain('minio');
    await registry.functions.createFunction(command(createRequest(name), again));
  });

  it('Kafka: keeps what was committed and announces it when Kafka is back', async () => {
    const table = registry.bus.table(topics.functions);
    await table.ready;
    await parts.stopOne('kafka');
    const reply = await update('while away');
    const written = reply.ok ? reply.written[0] : undefined;
    await parts.startAgain('kafka');
    await eventually(() => table.get(written?.key ?? '')?.revision === written?.revision, {
      timeoutMs: 45_000,
    });
    const waiting = () => registry.database.kysely.selectFrom('outbox').selectAll().execute();
    await eventually(async () => (await waiting()).length === 0);
  });
});
