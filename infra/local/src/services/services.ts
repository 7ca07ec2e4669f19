// The six services as processes of this machine.
import { existsSync, mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { LaunchError } from '../launch.errors.ts';
import { cleanEnvironment, type PartContext } from '../parts/parts.ts';
import { POSTGRES_NAME } from '../parts/postgres.ts';
import { httpProbe } from '../probes/http.probe.ts';
import { PORTS } from '../settings.ts';
import type { ChildSpec } from '../supervisor/child-spec.ts';

export const SERVICE_NAMES = [
  'function-registry',
  'log',
  'scheduler',
  'invoker',
  'trigger-bridge',
  'gateway',
] as const;
export type ServiceName = (typeof SERVICE_NAMES)[number];

export const REPOSITORY = join(import.meta.dirname, '../../../..');

/** Where `nx bundle` puts what a service runs. */
export function bundleOf(name: ServiceName): string {
  return join(REPOSITORY, 'apps', name, 'bundle');
}

/** Longest time that a service takes to finish what it has begun, and a little more. */
const DRAIN_MS = 20_000;

export function service(
  name: ServiceName,
  context: PartContext,
  extra: Record<string, string> = {},
): ChildSpec {
  const { home, settings } = context;
  const port = settings.ports[name];
  const main = join(bundleOf(name), 'main.js');
  return {
    name,
    kind: 'service',
    port,
    url: `http://127.0.0.1:${port}`,
    logFile: home.log(name),
    beforeStart: async () => {
      if (!existsSync(main))
        throw new LaunchError(`${name} is not built (${main} is missing): run \`npm run build\`.`);
      mkdirSync(home.data(name), { recursive: true });
    },
    command: () => ({
      program: process.execPath,
      args: [main],
      env: { ...serviceEnvironment(context), ...extra },
      cwd: home.data(name),
      signalWhenOrphaned: 'SIGTERM', // it drains and cleans up after itself
    }),
    probe: () => httpProbe(port, '/ready'),
    readyTimeoutMs: 120_000,
    attemptsAtStart: 3,
    stopSignal: 'SIGTERM',
    stopGraceMs: DRAIN_MS,
  };
}

/** Everything that a service, or a test that stands in for one, needs to reach the parts. */
export function serviceEnvironment({ home, keys, settings }: PartContext): Record<string, string> {
  const { ports } = settings;
  const portVariables = Object.entries(PORTS).map(([name, { variable }]) => [
    variable,
    String(ports[name as keyof typeof PORTS]),
  ]);
  return {
    ...cleanEnvironment(),
    OPENSCF_GATEWAY_HOST: '127.0.0.1',
    ...settings.handedOn,
    ...Object.fromEntries(portVariables),
    NODE_COMPILE_CACHE: join(settings.cache, 'node-compile'),
    OPENSCF_HOME: home.root,
    OPENSCF_CACHE: settings.cache,
    OPENSCF_KAFKA_BROKERS: `127.0.0.1:${ports.kafka}`,
    OPENSCF_POSTGRES_URL: `postgres://${POSTGRES_NAME}:${keys.postgresPassword}@127.0.0.1:${ports.postgres}/${POSTGRES_NAME}`,
    OPENSCF_MINIO_URL: `http://127.0.0.1:${ports.minio}`,
    OPENSCF_MINIO_ROOT_USER: keys.minioRootUser,
    OPENSCF_MINIO_ROOT_PASSWORD: keys.minioRootPassword,
    OPENSCF_PLATFORM_BUCKET: settings.platformBucket,
    OPENSCF_MASTER_KEY_FILE: home.masterKeyFile,
    OPENSCF_ROOT_CREDENTIALS_FILE: home.credentialsFile,
    OPENSCF_REGION: settings.region,
    OPENSCF_APP_ID: settings.appId,
    OPENSCF_UIN: settings.uin,
    OPENSCF_SANDBOX_DRIVER: settings.sandboxDriver,
    OPENSCF_INVOKER_MEMORY_MB: String(settings.invokerMemoryMb),
  };
}
