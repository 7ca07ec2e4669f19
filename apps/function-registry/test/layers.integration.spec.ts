import { functionKey, topics } from '@openscf/contracts';
import { actions } from '@openscf/scf-api';
import { eventually, sharedParts, uniqueName } from '@openscf/testing';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { codeZip, command, createRequest, startRegistry, type TestRegistry } from './registry.factory.js';

describe('layers', () => {
  let registry: TestRegistry;
  beforeAll(async () => {
    registry = await startRegistry({
      ...sharedParts().environment,
      OPENSCF_LAYERS: '3',
      OPENSCF_VERSIONS_PER_LAYER: '2',
    });
  });
  afterAll(() => registry.stop());

  async function publish(
    LayerName: string,
    source: string,
    fields: Record<string, unknown> = {},
  ): Promise<number> {
    const request = {
      LayerName,
      CompatibleRuntimes: ['Nodejs22'],
      Content: { ZipFile: '(streamed)' },
      ...fields,
    };
    const reply = await registry.layers.publishLayerVersion(
      command(request, await registry.upload(codeZip(source))),
    );
    return actions.PublishLayerVersion.response.parse(reply.ok && reply.response).LayerVersion;
  }
  const remove = (LayerName: string, LayerVersion: number) =>
    registry.layers.deleteLayerVersion(command({ LayerName, LayerVersion }));
  async function create(name: string, Layers: { LayerName: string; LayerVersion: number }[]): Promise<void> {
    await registry.functions.createFunction(
      command(createRequest(name, { Layers }), await registry.upload(codeZip(`// ${name}`))),
    );
  }
  async function layersOf(FunctionName: string) {
    const reply = await registry.functions.getFunction(command({ FunctionName }));
    return actions.GetFunction.response.parse(reply.ok && reply.response).Layers;
  }

  it('have versions that are listed, read and downloaded', async () => {
    const [one, two] = [uniqueName('a-layer'), uniqueName('b-layer')];
    expect(await publish(one, '// 1', { Description: 'first' })).toBe(1);
    expect(await publish(one, '// 2')).toBe(2);
    expect(await publish(two, '// 1', { CompatibleRuntimes: ['Python3.11'], LicenseInfo: 'MIT' })).toBe(1);
    const list = async (fields: Record<string, unknown>) => {
      const reply = await registry.layers.listLayers(command(fields));
      const { Layers, TotalCount } = actions.ListLayers.response.parse(reply.ok && reply.response);
      return [TotalCount, ...Layers.map(({ LayerName, LayerVersion }) => `${LayerName}:${LayerVersion}`)];
    };
    expect(await list({})).toEqual([2, `${one}:2`, `${two}:1`]);
    expect(await list({ CompatibleRuntime: 'Python3.11' })).toEqual([1, `${two}:1`]);
    expect(await list({ SearchKey: 'a-lay', Offset: 0, Limit: 1 })).toEqual([1, `${one}:2`]);
    const versions = await registry.layers.listLayerVersions(command({ LayerName: one }));
    const { LayerVersions } = actions.ListLayerVersions.response.parse(versions.ok && versions.response);
    expect(LayerVersions.map(({ LayerVersion, Description }) => [LayerVersion, Description])).toEqual([
      [2, ''],
      [1, 'first'],
    ]);
    const reply = await registry.layers.getLayerVersion(command({ LayerName: two, LayerVersion: 1 }));
    const layer = actions.GetLayerVersion.response.parse(reply.ok && reply.response);
    expect(layer).toMatchObject({ LicenseInfo: 'MIT', Status: 'Active', CompatibleRuntimes: ['Python3.11'] });
    const bytes = Buffer.from(await (await fetch(layer.Location)).arrayBuffer());
    expect(bytes.equals(codeZip('// 1'))).toBe(true);
    expect(await registry.objects('uploads/')).toEqual([]);
    for (const [name, version] of [
      [one, 1],
      [one, 2],
      [two, 1],
    ] as const)
      await remove(name, version);
  });

  it('are bound in order, and stay with a function after they are deleted', async () => {
    const [layer, name] = [uniqueName('bound'), uniqueName('f')];
    const version = await publish(layer, `// ${layer}`);
    const base = uniqueName('base');
    await publish(base, `// ${base}`);
    await create(name, [
      { LayerName: layer, LayerVersion: version },
      { LayerName: base, LayerVersion: 1 },
    ]);
    const table = registry.bus.table(topics.functions);
    const key = functionKey({ namespace: 'default', functionName: name, version: '$LATEST' });
    const state = await eventually(() => table.get(key));
    expect(state.layers.map(({ layerName }) => layerName)).toEqual([layer, base]);
    await registry.versions.publishVersion(command({ FunctionName: name }));

    await remove(layer, version);
    await remove(base, 1);
    await registry.sweep.sweep(0);
    expect(await registry.objects('code/')).toContain(state.layers[0]?.objectKey);
    expect(await layersOf(name)).toMatchObject([
      { LayerName: layer, LayerVersion: version, Status: 'Deleted' },
      { LayerName: base },
    ]);
    await expect(
      create(uniqueName('f'), [{ LayerName: layer, LayerVersion: version }]),
    ).rejects.toMatchObject({
      code: 'ResourceNotFound.LayerVersion',
    });
    const unbound = command({ FunctionName: name, Layers: [{ LayerName: '', LayerVersion: 0 }] });
    await registry.functions.updateFunctionConfiguration(unbound);
    expect(await layersOf(name)).toEqual([]);
    await registry.sweep.sweep(0);
    expect(await registry.objects('code/')).toContain(state.layers[0]?.objectKey);
    await registry.functions.deleteFunction(command({ FunctionName: name }));
    await registry.sweep.sweep(0);
    expect(await registry.objects('code/')).not.toContain(state.layers[0]?.objectKey);
  });

  it('get a number once, and are limited', async () => {
    const layer = uniqueName('limited');
    expect(await publish(layer, '// 1')).toBe(1);
    expect(await publish(layer, '// 2')).toBe(2);
    await expect(publish(layer, '// 3')).rejects.toMatchObject({ code: 'LimitExceeded.LayerVersions' });
    await remove(layer, 2);
    await expect(remove(layer, 2)).rejects.toMatchObject({ code: 'ResourceNotFound.LayerVersion' });
    expect(await publish(layer, '// 2')).toBe(3);
    await publish(uniqueName('second'), '// 1');
    await publish(uniqueName('third'), '// 1');
    await expect(publish(uniqueName('fourth'), '// 1')).rejects.toMatchObject({
      code: 'LimitExceeded.Layers',
    });
    await expect(registry.layers.listLayerVersions(command({ LayerName: 'nobody' }))).rejects.toMatchObject({
      code: 'ResourceNotFound.Layer',
    });
    await expect(publish(layer, '//', { CompatibleRuntimes: ['Cobol'] })).rejects.toMatchObject({
      code: 'InvalidParameterValue.CompatibleRuntimes',
    });
  });
});
