import { hostname } from 'node:os';
import { kafkaConfig } from '@openscf/bus';
import { defineConfig, integer, loadConfig, platformConfig, port, text, type Config } from '@openscf/config';
import { postgresConfig } from '@openscf/persistence';
import { z } from 'zod';

const namespaceMb = z
  .string()
  .transform((value) => value.split(',').filter((part) => part.trim() !== ''))
  .pipe(
    z.array(
      z
        .string()
        .trim()
        .regex(/^[\w-]{1,60}=\d{1,9}$/, 'not namespace=MB'),
    ),
  )
  .transform((parts) =>
    Object.fromEntries(
      parts.map((part): [string, number] => {
        const [namespace = '', mb = ''] = part.split('=');
        return [namespace, Number(mb)];
      }),
    ),
  );

const schedulerConfig = defineConfig({
  host: {
    variable: 'OPENSCF_SCHEDULER_HOST',
    schema: text,
    default: '127.0.0.1',
    accepts: 'the address to listen on',
  },
  port: { variable: 'OPENSCF_SCHEDULER_PORT', schema: port, default: '8082', accepts: 'a TCP port' },
  accountConcurrencyMb: {
    variable: 'OPENSCF_CONCURRENCY_QUOTA_MB',
    schema: integer(64, 1_000_000_000),
    // scf-api section 5, Quotas: the region's concurrency.
    default: '128000',
    accepts: 'MB of function memory that may run at once, 64 or more',
  },
  namespaceConcurrencyMb: {
    variable: 'OPENSCF_NAMESPACE_CONCURRENCY_MB',
    schema: namespaceMb,
    default: '',
    accepts: 'the most of it for some namespaces, as namespace=MB, several separated by commas',
  },
  provisionedStartsPerMinute: {
    variable: 'OPENSCF_PROVISIONED_STARTS_PER_MINUTE',
    schema: integer(1, 1_000_000),
    // scf-api section 5, Quotas.
    default: '100',
    accepts: 'provisioned instances that may be started in a minute, 1 or more',
  },
  asyncConcurrency: {
    variable: 'OPENSCF_ASYNC_CONCURRENCY',
    schema: integer(1, 10_000),
    default: '256',
    accepts: 'async attempts in flight at once in one scheduler, 1 to 10000',
  },
  asyncConcurrencyPerFunction: {
    variable: 'OPENSCF_ASYNC_CONCURRENCY_PER_FUNCTION',
    schema: integer(1, 10_000),
    default: '64',
    accepts: 'async attempts of one function in flight at once in one scheduler, 1 to 10000',
  },
});

const fragment = { ...platformConfig, ...kafkaConfig, ...postgresConfig, ...schedulerConfig };
export type SchedulerConfig = Config<typeof fragment>;

export function loadSchedulerConfig(): SchedulerConfig {
  return loadConfig(fragment);
}

/** A scheduler's place: two processes cannot listen on one port of a host, so who starts there replaces who was there. */
export function placeOf(config: Pick<SchedulerConfig, 'port'>): string {
  return config.port === 0 ? `${hostname()}:${process.pid}` : `${hostname()}:${config.port}`;
}
