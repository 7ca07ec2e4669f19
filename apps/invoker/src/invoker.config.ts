import { createHash } from 'node:crypto';
import { hostname, totalmem } from 'node:os';
import { kafkaConfig } from '@openscf/bus';
import {
  defineConfig,
  integer,
  loadConfig,
  optionalText,
  platformConfig,
  port,
  text,
  type Config,
} from '@openscf/config';
import { objectStoreConfig } from '@openscf/object-store';
import { telemetryConfig } from '@openscf/telemetry';
import { z } from 'zod';
import { imageStoreConfig } from './image-store/image-store.config.js';
import { sharedFileSystemsSchema } from './code-cache/shared-file-systems.config.js';

const MB = 1024 * 1024;

const invokerConfig = {
  ...platformConfig,
  ...telemetryConfig,
  ...kafkaConfig,
  ...objectStoreConfig,
  ...imageStoreConfig,
  ...defineConfig({
    host: {
      variable: 'OPENSCF_INVOKER_HOST',
      schema: text,
      default: '127.0.0.1',
      accepts: 'an address to listen on for health checks',
    },
    port: {
      variable: 'OPENSCF_INVOKER_PORT',
      schema: port,
      default: '8083',
      accepts: 'a TCP port for health checks',
    },
    dispatchHost: {
      variable: 'OPENSCF_INVOKER_DISPATCH_HOST',
      schema: text,
      default: '127.0.0.1',
      accepts: 'an address to listen on for calls',
    },
    dispatchPort: {
      variable: 'OPENSCF_INVOKER_DISPATCH_PORT',
      schema: port,
      default: '8093',
      accepts: 'a TCP port for calls',
    },
    advertisedHost: {
      variable: 'OPENSCF_INVOKER_ADVERTISED_HOST',
      schema: optionalText,
      accepts: 'the address at which gateway and scheduler reach this host; unset: the dispatch host',
    },
    invokerId: {
      variable: 'OPENSCF_INVOKER_ID',
      schema: z.string().regex(/^[\w.-]{1,64}$/, 'not a name'),
      default: hostname(),
      accepts: '1 to 64 letters, digits, dots, hyphens or underscores, unique among invokers',
    },
    sandboxDriver: {
      variable: 'OPENSCF_SANDBOX_DRIVER',
      schema: z.enum(['runc', 'docker']),
      default: 'runc',
      accepts: 'runc or docker',
    },
    memoryMb: {
      variable: 'OPENSCF_INVOKER_MEMORY_MB',
      schema: integer(64),
      default: String(Math.floor(totalmem() / 2 / MB)),
      accepts: 'MB of memory for instances, at least 64',
    },
    keepAliveSeconds: {
      variable: 'OPENSCF_KEEP_ALIVE_SECONDS',
      schema: integer(1, 86_400),
      default: '600',
      accepts: 'how many seconds an idle instance stays, 1 to 86400',
    },
    warmPoolMb: {
      variable: 'OPENSCF_WARM_POOL_MB',
      schema: integer(0),
      default: '512',
      accepts: 'MB of memory for started runtimes that wait for a function, 0 for none',
    },
    scaleOutPerMinute: {
      variable: 'OPENSCF_SCALE_OUT_PER_MINUTE',
      schema: integer(1),
      default: '500',
      accepts: 'how many instances one function may start in a minute, at least 1',
    },
    sharedFileSystems: {
      variable: 'OPENSCF_SHARED_FILE_SYSTEMS',
      schema: sharedFileSystemsSchema,
      default: ';',
      accepts: 'name=/path or name=nfs:host:/export, several separated by semicolons',
    },
    webStreamMb: {
      variable: 'OPENSCF_WEB_STREAM_MB',
      schema: integer(6),
      default: '1024',
      accepts: 'the most MB that a response of a web function may stream, at least 6',
    },
    codeCacheMb: {
      variable: 'OPENSCF_CODE_CACHE_MB',
      schema: integer(1),
      default: '4096',
      accepts: 'MB of disk for unpacked code, at least 1',
    },
  }),
};

export type InvokerConfig = Config<typeof invokerConfig>;

/** @throws ConfigError that names each wrong variable */
export function loadInvokerConfig(): InvokerConfig {
  return loadConfig(invokerConfig);
}

/**
 * The name that everything on the host carries that is made for this invoker: the same over restarts, another one for another
 * installation on the same host.
 */
export function sandboxOwner(config: Pick<InvokerConfig, 'home' | 'invokerId'>): string {
  const readable = config.invokerId
    .toLowerCase()
    .replaceAll(/[^a-z0-9]+/g, '-')
    .replaceAll(/^-|-$/g, '')
    .slice(0, 16);
  const hash = createHash('sha256').update(`${config.home}\0${config.invokerId}`).digest('hex').slice(0, 8);
  return readable === '' ? hash : `${readable}-${hash}`;
}
