import { z } from 'zod';
import {
  defineConfig,
  integer,
  path,
  platformConfig,
  port as tcpPort,
  text,
  url,
  type Config,
} from '@openscf/config';
import {
  FUNCTIONS_PER_NAMESPACE,
  LAYERS,
  LAYER_VERSIONS,
  TRIGGERS_PER_TYPE,
  VERSIONS_PER_FUNCTION,
} from '@openscf/scf-api';
import { kafkaConfig } from '@openscf/bus';
import { objectStoreConfig } from '@openscf/object-store';
import { ociConfig } from '@openscf/oci';
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

function limit(variable: string, what: string, fallback: number) {
  return {
    variable,
    schema: integer(1, 1_000_000),
    default: String(fallback),
    accepts: `${what}, 1 or more`,
  } as const;
}

/** What the vendor sets and an operator of a platform of one's own may set otherwise. */
const limitsConfig = defineConfig({
  functionsPerNamespace: limit(
    'OPENSCF_FUNCTIONS_PER_NAMESPACE',
    'functions of a namespace',
    FUNCTIONS_PER_NAMESPACE,
  ),
  versionsPerFunction: limit(
    'OPENSCF_VERSIONS_PER_FUNCTION',
    'published versions of a function',
    VERSIONS_PER_FUNCTION,
  ),
  triggersPerType: limit(
    'OPENSCF_TRIGGERS_PER_TYPE',
    'triggers of one type of a function',
    TRIGGERS_PER_TYPE,
  ),
  layersPerAccount: limit('OPENSCF_LAYERS', 'layers', LAYERS),
  versionsPerLayer: limit('OPENSCF_VERSIONS_PER_LAYER', 'versions of a layer', LAYER_VERSIONS),
  quotaMb: {
    variable: 'OPENSCF_CONCURRENCY_QUOTA_MB',
    schema: integer(64, 1_000_000_000),
    default: '128000',
    accepts: 'MB of function memory that may run at once, 64 or more (the same as for the scheduler)',
  },
});

/** Names of what stands before `=` in `name=/path;name=nfs:host:/export`; the rest is the invoker's matter. */
const fileSystemNames = z
  .string()
  .transform((value) =>
    value
      .split(';')
      .map((entry) => entry.trim())
      .filter((entry) => entry !== ''),
  )
  .pipe(z.array(z.string().regex(/^[\w-]{1,128}=(\/|nfs:)/, 'not name=/path or name=nfs:host:/export')))
  .transform((entries) => entries.map((entry) => entry.slice(0, entry.indexOf('='))));

const surroundingsConfig = defineConfig({
  sharedFileSystems: {
    variable: 'OPENSCF_SHARED_FILE_SYSTEMS',
    schema: fileSystemNames,
    default: ';',
    accepts: 'name=/path or name=nfs:host:/export, several separated by semicolons',
  },
  functionUrlDomain: {
    variable: 'OPENSCF_FUNCTION_URL_DOMAIN',
    schema: text,
    default: 'localhost',
    accepts: 'the domain below which function URLs lie; every name below it leads to the gateway',
  },
  gatewayHost: {
    variable: 'OPENSCF_GATEWAY_HOST',
    schema: text,
    default: '127.0.0.1',
    accepts: 'the address on which the gateway listens',
  },
  gatewayPort: {
    variable: 'OPENSCF_GATEWAY_PORT',
    schema: tcpPort,
    default: '8080',
    accepts: 'the port on which the gateway listens',
  },
  gatewayPublicUrl: {
    variable: 'OPENSCF_GATEWAY_PUBLIC_URL',
    schema: url('http', 'https').optional(),
    accepts:
      'the http:// or https:// address at which callers reach the gateway; its host and port when unset',
  },
});

export const registryConfig = {
  ...platformConfig,
  ...kafkaConfig,
  ...postgresConfig,
  ...objectStoreConfig,
  ...telemetryConfig,
  ...ociConfig,
  ...ownConfig,
  ...limitsConfig,
  ...surroundingsConfig,
};
export type RegistryConfig = Config<typeof registryConfig>;

/** Injection tokens of what `main.ts` makes. */
export const REGISTRY_CONFIG = Symbol('RegistryConfig');
export const LOGGER = Symbol('Logger');
/** The object store under the address that callers use; only for making links. */
export const PUBLIC_OBJECT_STORE = Symbol('PublicObjectStore');
