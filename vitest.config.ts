import { defineConfig } from 'vitest/config';
import { BaseSequencer, type TestSpecification } from 'vitest/node';

// Packages resolve to their sources, so that a test never runs stale output.
const conditions = ['@openscf/source'];
const resolve = { conditions };
const ssr = { resolve: { conditions, externalConditions: conditions } };
// Where vitest runs the global setups.
const environments = { __vitest__: ssr };

const outside = ['**/node_modules/**', '**/dist/**'];

/** The end-to-end specs share one platform: the one that kills its processes comes last. */
class FaultsLast extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    const isFault = (file: TestSpecification): number => Number(file.moduleId.includes('faults.e2e.spec'));
    return (await super.sort(files)).sort((a, b) => isFault(a) - isFault(b));
  }
}

export default defineConfig({
  test: {
    sequence: { sequencer: FaultsLast },
    projects: [
      {
        resolve,
        ssr,
        test: {
          name: 'unit',
          include: ['{apps,libs,infra,test}/**/*.spec.ts'],
          exclude: [
            ...outside,
            '**/*.integration.spec.ts',
            '**/*.e2e.spec.ts',
            '**/*.faults.spec.ts',
            '**/*.compose.spec.ts',
          ],
        },
      },
      {
        resolve,
        ssr,
        test: {
          name: 'integration',
          include: ['{apps,libs,infra}/**/*.integration.spec.ts'],
          exclude: outside,
          globalSetup: 'libs/testing/src/parts.global-setup.ts',
          testTimeout: 60_000,
          hookTimeout: 120_000,
          fileParallelism: false,
        },
      },
      {
        resolve,
        ssr,
        test: {
          name: 'e2e',
          include: ['test/e2e/**/*.e2e.spec.ts'],
          exclude: outside,
          globalSetup: 'test/e2e/src/platform.setup.ts',
          testTimeout: 180_000,
          hookTimeout: 180_000,
          fileParallelism: false,
          // After the others: it measures time on a machine of its own.
          sequence: { groupOrder: 1 },
        },
      },
      {
        resolve,
        ssr,
        test: {
          name: 'faults',
          include: ['test/faults/**/*.faults.spec.ts'],
          exclude: outside,
          testTimeout: 300_000,
          hookTimeout: 120_000,
          fileParallelism: false,
          sequence: { groupOrder: 2 },
        },
      },
      {
        resolve,
        ssr,
        environments,
        test: {
          name: 'compose',
          include: ['test/compose/**/*.compose.spec.ts'],
          exclude: outside,
          globalSetup: 'test/compose/src/engine.setup.ts',
          testTimeout: 120_000,
          hookTimeout: 120_000,
          fileParallelism: false,
          sequence: { groupOrder: 3 },
        },
      },
    ],
  },
});
