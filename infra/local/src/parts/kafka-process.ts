// Kafka's command line and configuration: one process that is broker and controller (KRaft).
import { randomBytes } from 'node:crypto';
import { join } from 'node:path';
import { runTool } from '../caches/tool.ts';

export const KAFKA_MAIN = 'kafka.Kafka';

const LOG4J = `-Dlog4j.configuration=file:${join(import.meta.dirname, '../../kafka/log4j.properties')}`;
/** The first compiler alone: measured, a start takes 1.8 s of CPU time instead of 3.2 s, and less memory. */
const COMPILER = '-XX:TieredStopAtLevel=1';

export interface KafkaPrograms {
  /** Folder that holds Kafka's jars. */
  jars: string;
  /** Class data archive: with it the broker starts with a third less CPU time. Undefined when it could not be made. */
  archive: string | undefined;
}

export function kafkaJvm({ jars, archive }: KafkaPrograms): string[] {
  const memory = ['-Xms128m', '-Xmx512m', '-XX:+UseSerialGC', '-XX:+ExitOnOutOfMemoryError'];
  const classes = archive === undefined ? [] : [`-XX:SharedArchiveFile=${archive}`, '-Xlog:cds=off'];
  return [...memory, COMPILER, ...classes, '-Djava.net.preferIPv4Stack=true', LOG4J, '-cp', `${jars}/*`];
}

/** Prepares the data folder that the properties name; one that is prepared already stays as it is. */
export async function formatKafka(programs: KafkaPrograms, properties: string): Promise<void> {
  // With a hyphen in front the tool would take it for an option.
  const clusterId = randomBytes(16).toString('base64url').replace(/^-/, 'k');
  const format = [
    'kafka.tools.StorageTool',
    'format',
    '--ignore-formatted',
    '-t',
    clusterId,
    '-c',
    properties,
  ];
  await runTool('java', [...kafkaJvm(programs), ...format]);
}

/** Topics of users come into being when first written to; internal topics are kept small, because there is one broker. */
export function kafkaProperties(logFolder: string, port: number, controllerPort: number): string {
  const values = {
    'node.id': 1,
    'process.roles': 'broker,controller',
    'controller.quorum.voters': `1@127.0.0.1:${controllerPort}`,
    'controller.listener.names': 'CONTROLLER',
    listeners: `PLAINTEXT://127.0.0.1:${port},CONTROLLER://127.0.0.1:${controllerPort}`,
    'advertised.listeners': `PLAINTEXT://127.0.0.1:${port}`,
    'log.dirs': logFolder,
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
