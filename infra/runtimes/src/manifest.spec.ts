import { describe, expect, it } from 'vitest';
import { baseFolderName } from './base-rootfs.ts';
import { loadBaseRecipe, loadLanguages } from './descriptor.ts';
import { makeManifest } from './manifest.ts';

const recipes = new URL('..', import.meta.url).pathname;
const places = {
  rootfs: '/cache/rootfs/1',
  languages: '/cache/lang',
  bootstraps: '/project/libs/runtimes',
  built: { agent: '/cache/agent', java: '/cache/java' },
};

describe('the runtime manifest', () => {
  it('names every runtime once, with paths that hold in the instance', async () => {
    const languages = await loadLanguages(recipes);
    const manifest = makeManifest(await loadBaseRecipe(recipes, languages), languages, places);
    const names = manifest.runtimes.map(({ name }) => name);
    expect(names).toEqual(
      expect.arrayContaining([
        'Nodejs16.13',
        'Nodejs18.15',
        'Nodejs20.19',
        'Nodejs22',
        'Nodejs24',
        'Python3.7',
        'Python3.11',
      ]),
    );
    expect(new Set(names).size).toBe(names.length);
    const node = manifest.runtimes.find(({ name }) => name === 'Nodejs18.15');
    expect(node).toMatchObject({
      language: 'nodejs',
      interpreter: '/var/lang/node18/bin/node',
      command: ['/var/lang/node18/bin/node', '/var/runtime/nodejs/bootstrap.cjs'],
      env: {
        HOME: '/home/qcloud',
        NODE_PATH:
          '/var/user:/var/user/node_modules:/var/lang/node18/lib/node_modules:/opt:/opt/node_modules',
      },
      mounts: [
        { source: '/cache/lang', target: '/var/lang', readOnly: true },
        { source: '/project/libs/runtimes/nodejs', target: '/var/runtime/nodejs', readOnly: true },
      ],
    });
  });

  it('has a mount point in the root file system for each mount', async () => {
    const languages = await loadLanguages(recipes);
    const recipe = await loadBaseRecipe(recipes, languages);
    for (const { mounts } of makeManifest(recipe, languages, places).runtimes)
      for (const { target } of mounts) expect(recipe.mountPoints).toContain(target);
  });

  it('changes the name of the root file system with its recipe', async () => {
    const recipe = await loadBaseRecipe(recipes, []);
    const other = { ...recipe, packages: [...recipe.packages, 'git'] };
    expect(baseFolderName(other, 'x64')).not.toBe(baseFolderName(recipe, 'x64'));
    expect(baseFolderName(recipe, 'arm64')).not.toBe(baseFolderName(recipe, 'x64'));
  });
});
