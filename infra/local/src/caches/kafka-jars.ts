import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { LaunchError } from '../launch.errors.ts';
import { cachedFolder, type Report } from './cache.ts';
import { findProgram, runTool } from './tool.ts';

const KAFKA_VERSION = '4.1.1'; // as in kafka/pom.xml
const POM = join(import.meta.dirname, '../../kafka/pom.xml');

/** Folder that holds Kafka's jars, fetched by Maven, which knows this machine's mirrors and proxies. */
export function kafkaJars(cache: string, report: Report): Promise<string> {
  return cachedFolder(cache, `kafka-${KAFKA_VERSION}`, report, async (folder) => {
    if (findProgram('mvn') === undefined)
      throw new LaunchError(
        'Kafka is fetched by Maven, but there is no program "mvn" on the PATH: install Maven.',
      );
    report('fetching the jars');
    await runTool(
      'mvn',
      [
        '-B',
        '-f',
        POM,
        'dependency:copy-dependencies',
        '-DincludeScope=runtime',
        `-DoutputDirectory=${folder}`,
      ],
      {
        onLine: (line) => {
          const jar = /Downloaded from .*\/([^/]+\.jar)/.exec(line)?.[1];
          if (jar !== undefined) report(`fetched ${jar}`);
        },
      },
    );
    if (!readdirSync(folder).some((file) => file.startsWith('kafka_')))
      throw new LaunchError(`Maven ended well, but put no Kafka into ${folder}.`);
  });
}
