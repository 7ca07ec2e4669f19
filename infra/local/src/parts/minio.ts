// MinIO, one node, with both Kafka targets for bucket events (see the ADR on object events).
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { httpProbe } from '../probes/http.probe.ts';
import type { ChildSpec } from '../supervisor/child-spec.ts';
import { cleanEnvironment, type PartContext } from './parts.ts';

/** Sends at once, and loses events while Kafka is away. */
export const IMMEDIATE_TOPIC = 'openscf.object-events';
/** Keeps events in a folder until Kafka has them, and sends on a tick of some seconds. */
export const DURABLE_TOPIC = 'openscf.object-events-durable';

export function minio({ home, keys, settings }: PartContext, program: string): ChildSpec {
  const port = settings.ports.minio;
  const brokers = `127.0.0.1:${settings.ports.kafka}`;
  const data = join(home.data('minio'), 'buckets');
  const queue = join(home.data('minio'), 'queue');
  return {
    name: 'minio',
    kind: 'part',
    port,
    url: `http://127.0.0.1:${port}`,
    logFile: home.log('minio'),
    beforeStart: async () => {
      for (const folder of [data, queue]) mkdirSync(folder, { recursive: true, mode: 0o700 });
    },
    command: () => ({
      program,
      args: [
        'server',
        '--address',
        `127.0.0.1:${port}`,
        '--console-address',
        `127.0.0.1:${settings.ports['minio-console']}`,
        data,
      ],
      env: {
        ...cleanEnvironment(),
        MINIO_ROOT_USER: keys.minioRootUser,
        MINIO_ROOT_PASSWORD: keys.minioRootPassword,
        MINIO_UPDATE: 'off',
        ...target('IMMEDIATE', brokers, IMMEDIATE_TOPIC),
        ...target('DURABLE', brokers, DURABLE_TOPIC),
        MINIO_NOTIFY_KAFKA_QUEUE_DIR_DURABLE: queue,
        MINIO_NOTIFY_KAFKA_QUEUE_LIMIT_DURABLE: '1000000',
      },
      signalWhenOrphaned: 'SIGKILL', // every write is on disk before it is answered
    }),
    probe: () => httpProbe(port, '/minio/health/ready'),
    readyTimeoutMs: 60_000,
    attemptsAtStart: 1,
    stopSignal: 'SIGTERM',
    stopGraceMs: 10_000,
  };
}

function target(name: string, brokers: string, topic: string): Record<string, string> {
  return {
    [`MINIO_NOTIFY_KAFKA_ENABLE_${name}`]: 'on',
    [`MINIO_NOTIFY_KAFKA_BROKERS_${name}`]: brokers,
    [`MINIO_NOTIFY_KAFKA_TOPIC_${name}`]: topic,
  };
}
