import { kafkaConfig } from '@openscf/bus';
import { defineConfig, integer, loadConfig, platformConfig, port, text, type Config } from '@openscf/config';
import { postgresConfig } from '@openscf/persistence';

const logConfig = defineConfig({
  host: {
    variable: 'OPENSCF_LOG_HOST',
    schema: text,
    default: '127.0.0.1',
    accepts: 'the address to listen on',
  },
  port: { variable: 'OPENSCF_LOG_PORT', schema: port, default: '8085', accepts: 'a TCP port' },
  retentionDays: {
    variable: 'OPENSCF_LOG_RETENTION_DAYS',
    schema: integer(1, 3_650),
    default: '7',
    accepts: 'the days that logs are kept, 1 to 3650',
  },
});

const fragment = { ...platformConfig, ...kafkaConfig, ...postgresConfig, ...logConfig };
export type LogConfig = Config<typeof fragment>;

export function loadLogConfig(): LogConfig {
  return loadConfig(fragment);
}
