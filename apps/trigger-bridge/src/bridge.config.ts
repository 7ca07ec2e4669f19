import { kafkaConfig } from '@openscf/bus';
import {
  defineConfig,
  integer,
  loadConfig,
  platformConfig,
  port,
  text,
  url,
  type Config,
} from '@openscf/config';
import { objectStoreConfig } from '@openscf/object-store';
import { postgresConfig } from '@openscf/persistence';
import { telemetryConfig } from '@openscf/telemetry';

export const bridgeConfig = {
  ...platformConfig,
  ...telemetryConfig,
  ...kafkaConfig,
  ...postgresConfig,
  ...objectStoreConfig,
  ...defineConfig({
    host: {
      variable: 'OPENSCF_TRIGGER_BRIDGE_HOST',
      schema: text,
      default: '127.0.0.1',
      accepts: 'an address to listen on',
    },
    port: {
      variable: 'OPENSCF_TRIGGER_BRIDGE_PORT',
      schema: port,
      default: '8084',
      accepts: 'a TCP port',
    },
    kafkaRetrySeconds: {
      variable: 'OPENSCF_KAFKA_RETRY_SECONDS',
      schema: integer(1, 3_600),
      default: '60',
      accepts: "seconds between attempts of a Kafka trigger's batch after the function's error, 1 to 3600",
    },
    timerCatchUpSeconds: {
      variable: 'OPENSCF_TIMER_CATCH_UP_SECONDS',
      schema: integer(1, 3_600),
      default: '60',
      accepts: 'how late, in seconds, a tick of a timer may still fire, 1 to 3600',
    },
    objectUrl: {
      variable: 'OPENSCF_OBJECT_URL',
      schema: url('http', 'https'),
      default: 'http://minio.openscf.internal:9000',
      accepts: 'the URL at which functions reach the object store',
    },
  }),
};

export type BridgeConfig = Config<typeof bridgeConfig>;

export function loadBridgeConfig(): BridgeConfig {
  return loadConfig(bridgeConfig);
}
