// Apache Kafka, one process that is broker and controller (KRaft).
import { randomBytes } from 'node:crypto';
import { existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { runTool } from '../caches/tool.ts';
import { kafkaProbe } from '../probes/kafka.probe.ts';
import type { ChildSpec } from '../supervisor/child-spec.ts';
import { freePort } from '../ports.ts';
import { cleanEnvironment, type PartContext } from './parts.ts';

const LOG4J = `-Dlog4j.configuration=file:${join(import.meta.dirname, '../../kafka/log4j.properties')}`;
const HEAP = ['-Xms128m', '-Xmx512m', '-XX:+UseSerialGC', '-XX:+ExitOnOutOfMemoryError'];

export function kafka({ home, settings }: PartContext, jars: string): ChildSpec {
  const port = settings.ports.kafka;
  const folder = home.data('kafka');
  const properties = join(folder, 'server.properties');
  const classPath = `${jars}/*`;
  return {
    name: 'kafka',
    kind: 'part',
    port,
    url: `127.0.0.1:${port}`,
    logFile: home.log('kafka'),
    beforeStart: async () => {
      mkdirSync(folder, { recursive: true });
      // Only the broker itself talks to its controller port, so any free one will do, also after a crash.
      writeFileSync(properties, propertiesFor(folder, port, await freePort()));
      if (!existsSync(join(folder, 'log/meta.properties'))) await format(classPath, properties);
    },
    command: () => ({
      program: 'java',
      args: [...HEAP, '-Djava.net.preferIPv4Stack=true', LOG4J, '-cp', classPath, 'kafka.Kafka', properties],
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

async function format(classPath: string, properties: string): Promise<void> {
  const clusterId = randomBytes(16).toString('base64url');
  await runTool('java', [
    '-Xmx256m',
    LOG4J,
    '-cp',
    classPath,
    'kafka.tools.StorageTool',
    'format',
    '--ignore-formatted',
    '-t',
    clusterId,
    '-c',
    properties,
  ]);
}

/** Topics of users come into being when first written to; internal topics are kept small, because there is one broker. */
function propertiesFor(folder: string, port: number, controllerPort: number): string {
  const values = {
    'node.id': 1,
    'process.roles': 'broker,controller',
    'controller.quorum.voters': `1@127.0.0.1:${controllerPort}`,
    'controller.listener.names': 'CONTROLLER',
    listeners: `PLAINTEXT://127.0.0.1:${port},CONTROLLER://127.0.0.1:${controllerPort}`,
    'advertised.listeners': `PLAINTEXT://127.0.0.1:${port}`,
    'log.dirs': join(folder, 'log'),
    'auto.create.topics.enable': true,
    'num.partitions': 1,
    'default.replication.factor': 1,
    'offsets.topic.replication.factor': 1,
    'offsets.topic.num.partitions': 8,
    'transaction.state.log.replication.factor': 1,
    'transaction.state.log.min.isr': 1,
    'transaction.state.log.num.partitions': 4,
    'share.coordinator.state.topic.replication.factor': 1,
    'share.coordinator.state.topic.min.isr': 1,
    'group.initial.rebalance.delay.ms': 0,
    'num.network.threads': 2,
    'num.io.threads': 4,
    'log.cleaner.dedupe.buffer.size': 16 * 2 ** 20,
    // After kill -9 the controller refuses the broker until its old session is over: 9 s by default.
    'broker.session.timeout.ms': 3_000,
    'broker.heartbeat.interval.ms': 500,
    'initial.broker.registration.timeout.ms': 60_000,
  };
  return Object.entries(values)
    .map(([name, value]) => `${name}=${value}\n`)
    .join('');
}
