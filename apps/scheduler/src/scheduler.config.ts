import { hostname } from 'node:os';
import { kafkaConfig } from '@openscf/bus';
import { defineConfig, integer, loadConfig, platformConfig, port, text, type Config } from '@openscf/config';
import { postgresConfig } from '@openscf/persistence';

const schedulerConfig = defineConfig({
  host: {
    variable: 'OPENSCF_SCHEDULER_HOST',
    schema: text,
    default: '127.0.0.1',
    accepts: 'the address to listen on',
  },
  port: { variable: 'OPENSCF_SCHEDULER_PORT', schema: port, default: '8082', accepts: 'a TCP port' },
  quotaMb: {
    variable: 'OPENSCF_CONCURRENCY_QUOTA_MB',
    schema: integer(64, 1_000_000_000),
    // scf-api section 5, Quotas: the region's concurrency.
    default: '128000',
    accepts: 'MB of function memory that may run at once, 64 or more',
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
