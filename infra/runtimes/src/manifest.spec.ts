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
    const byLanguage = [
      ['Nodejs12.16', 'Nodejs14.18', 'Nodejs16.13', 'Nodejs18.15', 'Nodejs20.19', 'Nodejs22', 'Nodejs24'],
      ['Python2.7', 'Python3.7', 'Python3.9', 'Python3.10', 'Python3.11', 'Python3.12'],
      ['Php7.2', 'Php7.4', 'Php8.0', 'Php8.2'],
      ['Java8', 'Java11', 'Java17', 'Java21', 'Java25'],
      ['CustomRuntime', 'Go1'],
    ];
    expect([...names].sort()).toEqual(byLanguage.flat().sort());
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

  it('says why a name is missing, and never of one that it serves', async () => {
    const languages = await loadLanguages(recipes);
    const { runtimes, missing } = makeManifest(await loadBaseRecipe(recipes, languages), languages, places);
    expect(missing['Python3.6']).toMatch(/python:3\.6-slim/);
    for (const { name } of runtimes) expect(missing).not.toHaveProperty([name]);
  });

  it('names what is built where it was built, and the note of a name that another version serves', async () => {
    const languages = await loadLanguages(recipes);
    const manifest = makeManifest(await loadBaseRecipe(recipes, languages), languages, places);
    const runtime = (name: string) => manifest.runtimes.find((one) => one.name === name);
    expect(manifest.agent).toBe('/cache/agent');
    expect(runtime('Go1')).toMatchObject({ command: ['/var/runtime/agent/agent', 'go1'] });
    expect(runtime('Java8')?.mounts).toContainEqual({
      source: '/cache/java',
      target: '/var/runtime/java',
      readOnly: true,
    });
    expect(runtime('Php8.0')).toMatchObject({
      interpreter: '/var/lang/php80/bin/php',
      note: expect.stringContaining('PHP 8.2') as string,
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
