import { defineConfig, path, platformConfig, port as tcpPort, text, url, type Config } from '@openscf/config';
import { kafkaConfig } from '@openscf/bus';
import { objectStoreConfig } from '@openscf/object-store';
import { postgresConfig } from '@openscf/persistence';
import { telemetryConfig } from '@openscf/telemetry';

const ownConfig = defineConfig({
  host: {
    variable: 'OPENSCF_FUNCTION_REGISTRY_HOST',
    schema: text,
    default: '127.0.0.1',
    accepts: 'an address of this machine, for /health and /ready',
  },
  port: {
    variable: 'OPENSCF_FUNCTION_REGISTRY_PORT',
    schema: tcpPort,
    default: '8081',
    accepts: 'a TCP port',
  },
  minioPublicUrl: {
    variable: 'OPENSCF_MINIO_PUBLIC_URL',
    schema: url('http', 'https').optional(),
    accepts: 'the http:// or https:// address at which callers reach MinIO; OPENSCF_MINIO_URL when unset',
  },
  masterKeyFile: {
    variable: 'OPENSCF_MASTER_KEY_FILE',
    schema: path,
    accepts: 'the path of a file with 32 random bytes as hex, which encrypts credentials',
  },
  rootCredentialsFile: {
    variable: 'OPENSCF_ROOT_CREDENTIALS_FILE',
    schema: path,
    default: '~/.openscf/credentials',
    accepts: 'the path of a file with the lines TENCENTCLOUD_SECRET_ID= and TENCENTCLOUD_SECRET_KEY=',
  },
});

export const registryConfig = {
  ...platformConfig,
  ...kafkaConfig,
  ...postgresConfig,
  ...objectStoreConfig,
  ...telemetryConfig,
  ...ownConfig,
};
export type RegistryConfig = Config<typeof registryConfig>;

/** Injection tokens of what `main.ts` makes. */
export const REGISTRY_CONFIG = Symbol('RegistryConfig');
export const LOGGER = Symbol('Logger');
/** The object store under the address that callers use; only for making links. */
export const PUBLIC_OBJECT_STORE = Symbol('PublicObjectStore');
