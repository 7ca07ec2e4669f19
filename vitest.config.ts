import { defineConfig } from 'vitest/config';

// Packages resolve to their sources, so that a test never runs stale output.
const conditions = ['@openscf/source'];
const resolve = { conditions };
const ssr = { resolve: { conditions, externalConditions: conditions } };

const outside = ['**/node_modules/**', '**/dist/**'];

export default defineConfig({
  test: {
    projects: [
      {
        resolve,
        ssr,
        test: {
          name: 'unit',
          include: ['{apps,libs,infra,test}/**/*.spec.ts'],
          exclude: [...outside, '**/*.integration.spec.ts', '**/*.e2e.spec.ts'],
        },
      },
      {
        resolve,
        ssr,
        test: {
          name: 'integration',
          include: ['{apps,libs,infra}/**/*.integration.spec.ts'],
          exclude: outside,
          testTimeout: 60_000,
          hookTimeout: 120_000,
          fileParallelism: false,
        },
      },
    ],
  },
});
