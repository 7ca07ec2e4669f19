import { kafkaConfig } from '@openscf/bus';
import { defineConfig, loadConfig, path, platformConfig, port, text } from '@openscf/config';
import { objectStoreConfig } from '@openscf/object-store';

const own = defineConfig({
  host: {
    variable: 'OPENSCF_GATEWAY_HOST',
    schema: text,
    default: '127.0.0.1',
    accepts: 'an address to listen on',
  },
  port: {
    variable: 'OPENSCF_GATEWAY_PORT',
    schema: port,
    default: '8080',
    accepts: 'a port from 0 to 65535',
  },
  masterKeyFile: {
    variable: 'OPENSCF_MASTER_KEY_FILE',
    schema: path,
    accepts: 'the path of a file with 32 bytes as hex, the same for all services',
  },
});

/** Everything that the gateway reads from the environment. @throws ConfigError that names each wrong variable. */
export function loadGatewayConfig() {
  return loadConfig({ ...platformConfig, ...kafkaConfig, ...objectStoreConfig, ...own });
}
export type GatewayConfig = ReturnType<typeof loadGatewayConfig>;
