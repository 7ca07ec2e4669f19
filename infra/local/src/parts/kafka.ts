import { existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { freePort } from '../ports.ts';
import { kafkaProbe } from '../probes/kafka.probe.ts';
import type { ChildSpec } from '../supervisor/child-spec.ts';
import { formatKafka, KAFKA_MAIN, kafkaJvm, kafkaProperties, type KafkaPrograms } from './kafka-process.ts';
import { cleanEnvironment, type PartContext } from './parts.ts';

export function kafka({ home, settings }: PartContext, programs: KafkaPrograms): ChildSpec {
  const port = settings.ports.kafka;
  const folder = home.data('kafka');
  const properties = join(folder, 'server.properties');
  return {
    name: 'kafka',
    kind: 'part',
    port,
    url: `127.0.0.1:${port}`,
    logFile: home.log('kafka'),
    beforeStart: async () => {
      mkdirSync(folder, { recursive: true });
      // Only the broker itself talks to its controller port, so any free one will do, also after a crash.
      writeFileSync(properties, kafkaProperties(join(folder, 'log'), port, await freePort()));
      if (!existsSync(join(folder, 'log/meta.properties'))) await formatKafka(programs, properties);
    },
    command: () => ({
      program: 'java',
      args: [...kafkaJvm(programs), KAFKA_MAIN, properties],
      env: cleanEnvironment(),
      signalWhenOrphaned: 'SIGKILL', // its log is made for that
    }),
    probe: () => kafkaProbe(port),
    readyTimeoutMs: 90_000,
    attemptsAtStart: 1,
    stopSignal: 'SIGTERM',
    stopGraceMs: 15_000,
  };
}
