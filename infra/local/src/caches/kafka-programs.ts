import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { spawn } from 'node:child_process';
import { existsSync, readdirSync, realpathSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { LaunchError } from '../launch.errors.ts';
import {
  formatKafka,
  KAFKA_MAIN,
  kafkaJvm,
  kafkaProperties,
  type KafkaPrograms,
} from '../parts/kafka-process.ts';
import { freePorts } from '../ports.ts';
import { kafkaProbe } from '../probes/kafka.probe.ts';
import { cachedFolder, type Report } from './cache.ts';
import { findProgram, runTool } from './tool.ts';

const KAFKA_VERSION = '4.1.1'; // as in kafka/pom.xml
const POM = join(import.meta.dirname, '../../kafka/pom.xml');

export async function kafkaPrograms(cache: string, report: Report): Promise<KafkaPrograms> {
  const jars = await kafkaJars(cache, report);
  return { jars, archive: await classArchive(cache, jars, report).catch(() => undefined) };
}

/** Fetched by Maven, which knows this machine's mirrors and proxies. */
function kafkaJars(cache: string, report: Report): Promise<string> {
  return cachedFolder(cache, `kafka-${KAFKA_VERSION}`, report, async (folder) => {
    if (findProgram('mvn') === undefined)
      throw new LaunchError(
        'Kafka is fetched by Maven, but there is no program "mvn" on the PATH: install Maven.',
      );
    report('fetching the jars');
    const args = [
      '-B',
      '-f',
      POM,
      'dependency:copy-dependencies',
      '-DincludeScope=runtime',
      `-DoutputDirectory=${folder}`,
    ];
    await runTool('mvn', args, {
      onLine: (line) => {
        const jar = /Downloaded from .*\/([^/]+\.jar)/.exec(line)?.[1];
        if (jar !== undefined) report(`fetched ${jar}`);
      },
    });
    if (!readdirSync(folder).some((file) => file.startsWith('kafka_')))
      throw new LaunchError(`Maven ended well, but put no Kafka into ${folder}.`);
  });
}

/** The archive holds the classes that a broker has loaded when it serves; it fits one Java and one folder of jars. */
async function classArchive(cache: string, jars: string, report: Report): Promise<string> {
  const java = realpathSync(findProgram('java') ?? '/');
  const key = createHash('sha256')
    .update(`${java} ${statSync(java).mtimeMs} ${jars}`)
    .digest('hex')
    .slice(0, 12);
  const folder = await cachedFolder(cache, `kafka-${KAFKA_VERSION}-classes-${key}`, report, async (draft) => {
    report('loading its classes once, to start faster from now on');
    const properties = join(draft, 'server.properties');
    const [port = 0, controllerPort = 0] = await freePorts(2);
    writeFileSync(properties, kafkaProperties(join(draft, 'log'), port, controllerPort));
    await formatKafka({ jars, archive: undefined }, properties);
    await runOnce(jars, join(draft, 'classes.jsa'), properties, port);
    rmSync(join(draft, 'log'), { recursive: true });
    if (!existsSync(join(draft, 'classes.jsa'))) throw new Error('this Java wrote no archive');
  });
  return join(folder, 'classes.jsa');
}

async function runOnce(jars: string, archive: string, properties: string, port: number): Promise<void> {
  const args = [
    `-XX:ArchiveClassesAtExit=${archive}`,
    ...kafkaJvm({ jars, archive: undefined }),
    KAFKA_MAIN,
    properties,
  ];
  const broker = spawn('java', args, { stdio: 'ignore' });
  const ended = once(broker, 'exit');
  const deadline = Date.now() + 90_000;
  while (broker.exitCode === null && Date.now() < deadline) {
    const serves = await kafkaProbe(port).then(
      () => true,
      () => false,
    );
    if (serves) break;
    await delay(100);
  }
  broker.kill('SIGTERM');
  await ended;
}
