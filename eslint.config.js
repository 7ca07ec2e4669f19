import nx from '@nx/eslint-plugin';
import tseslint from 'typescript-eslint';
import prettier from 'eslint-config-prettier';

/**
 * Who may import whom. `scope:*` is a package; the order is the one of the architecture:
 * contracts <- config, telemetry, framing <- bus, persistence, object-store, dispatch <- service-kit <- apps.
 */
const base = ['scope:contracts', 'scope:config', 'scope:telemetry'];
/** Their integration tests start the real part that they hide. */
const adapter = [...base, 'scope:testing'];
const allowed = {
  'scope:contracts': [],
  'scope:config': ['scope:contracts'],
  'scope:telemetry': ['scope:config', 'scope:contracts'],
  'scope:framing': ['scope:contracts'],
  'scope:scf-api': ['scope:contracts', 'scope:config'],
  'scope:bus': adapter,
  'scope:persistence': adapter,
  'scope:object-store': adapter,
  'scope:oci': adapter,
  'scope:dispatch': [...base, 'scope:framing', 'scope:bus'],
  'scope:service-kit': [...base, 'scope:bus', 'scope:testing'],
  'scope:sandbox-api': ['scope:contracts'],
  'scope:sandbox-driver': ['scope:sandbox-api', 'scope:contracts', 'scope:config', 'scope:testing'],
  'scope:testing': ['type:lib', 'type:infra'],
  'type:app': ['type:lib'],
  'type:test': ['type:lib', 'type:infra'],
  'type:infra': [],
};

/** A vendor's package is imported by the one lib that hides it. */
const vendors = {
  kafkajs: 'vendor:kafka',
  pg: 'vendor:pg',
  kysely: 'vendor:pg',
  minio: 'vendor:minio',
  dockerode: 'vendor:docker',
};
const vendorBans = Object.values(vendors)
  .filter((tag, i, all) => all.indexOf(tag) === i)
  .map((tag) => ({
    sourceTag: tag,
    bannedExternalImports: Object.keys(vendors).filter((name) => vendors[name] !== tag),
  }));
const withoutVendor = [
  'scope:contracts',
  'scope:config',
  'scope:telemetry',
  'scope:framing',
  'scope:scf-api',
  'scope:dispatch',
  'scope:service-kit',
  'scope:sandbox-api',
  'type:app',
].map((tag) => ({ sourceTag: tag, bannedExternalImports: Object.keys(vendors) }));

export default tseslint.config(
  {
    ignores: [
      '**/dist',
      '**/bundle',
      '**/node_modules',
      '.nx',
      'examples/**',
      'libs/runtimes/**',
      'test/boundaries/planted/**',
    ],
  },
  ...tseslint.configs.recommended,
  prettier,
  {
    plugins: { '@nx': nx },
    files: ['**/*.ts'],
    rules: {
      '@nx/enforce-module-boundaries': [
        'error',
        {
          allowCircularSelfDependency: true,
          banTransitiveDependencies: false,
          depConstraints: [
            ...Object.entries(allowed).map(([sourceTag, onlyDependOnLibsWithTags]) => ({
              sourceTag,
              onlyDependOnLibsWithTags,
            })),
            ...vendorBans,
            ...withoutVendor,
          ],
        },
      ],
      'max-lines': ['error', { max: 400 }],
      'max-lines-per-function': ['error', { max: 80, skipBlankLines: true, skipComments: true }],
      'no-restricted-properties': [
        'error',
        { object: 'process', property: 'env', message: 'Only @openscf/config reads the environment.' },
      ],
      'no-restricted-exports': ['error', { restrictDefaultExports: { direct: true, named: true } }],
      '@typescript-eslint/no-unused-vars': ['error', { argsIgnorePattern: '^_' }],
      '@typescript-eslint/no-explicit-any': 'error',
    },
  },
  {
    // Launchers, fakes and fixtures are for tests.
    files: ['apps/**/*.ts', 'libs/**/*.ts'],
    ignores: ['**/*.spec.ts', '**/*.fake.ts', '**/*.fixture.ts', '**/*.conformance.ts', 'libs/testing/**'],
    rules: { 'no-restricted-imports': ['error', '@openscf/testing', 'vitest'] },
  },
  {
    // The only reader of the environment; and the programs that make it, with the tests that start them.
    files: ['libs/config/**', 'infra/**', 'test/**', '**/*.spec.ts', 'libs/testing/**'],
    rules: { 'no-restricted-properties': 'off' },
  },
  { files: ['**/*.spec.ts', 'test/**'], rules: { 'max-lines-per-function': 'off' } },
  { files: ['*.config.ts', '*.config.js'], rules: { 'no-restricted-exports': 'off' } },
);
