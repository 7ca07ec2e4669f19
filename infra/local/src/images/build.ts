// Makes openscf/{kafka,postgres,minio,service}:local. The images of the parts are the official ones where the engine can
// pull them; elsewhere they are built from what the local platform runs: Debian packages, Kafka's jars from Maven,
// PostgreSQL from npm, MinIO from its source.
import { createHash } from 'node:crypto';
import { cpSync, linkSync, mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { cachedFolder, type Report } from '../caches/cache.ts';
import { kafkaPrograms } from '../caches/kafka-programs.ts';
import { minioProgram } from '../caches/minio-program.ts';
import { postgresPrograms } from '../caches/postgres-programs.ts';
import { findProgram, runTool } from '../caches/tool.ts';
import { LaunchError, sentenceFor } from '../launch.errors.ts';
import { Printer } from '../progress/printer.ts';
import { buildServices } from '../services/build.ts';
import { prepareRuntimes } from '../services/runtimes.ts';
import { REPOSITORY } from '../services/services.ts';
import { settingsFrom, type Settings } from '../settings.ts';
import { stageApp } from './stage-app.ts';

const RECIPES = join(REPOSITORY, 'infra/images');
const OFFICIAL = {
  kafka: 'apache/kafka:4.1.1',
  postgres: 'postgres:18-bookworm',
  minio: 'minio/minio:latest',
};
/** Java for Kafka; the rest for sandboxes of the invoker. */
const PACKAGES =
  'ca-certificates openjdk-17-jre-headless runc iproute2 slirp4netns util-linux procps tar skopeo umoci';
const SUITE = 'bookworm';
/** Documentation is left out, but for manual pages: Java's packages lay links between theirs. */
const SMALL = ['doc', 'locale'].map((name) => `--dpkgopt=path-exclude=/usr/share/${name}/*`);

async function main(settings: Settings): Promise<void> {
  await engine();
  const { stdout } = process;
  const screen = {
    isTTY: stdout.isTTY === true,
    columns: stdout.columns || 120,
    write: (text: string) => void stdout.write(text),
  };
  const printer = new Printer(screen, 7);
  mkdirSync(settings.cache, { recursive: true });
  const drafts = mkdtempSync(join(settings.cache, 'images-'));
  try {
    const runtimes = printer.step('runtimes', (report) => prepareRuntimes(settings, report));
    const built = printer.step('build of the services', buildServices);
    await printer.step('base', (report) => makeBase(settings, report));
    await printer.step('kafka', (report) =>
      makePart('kafka', drafts, report, () => stageKafka(settings, drafts, report)),
    );
    await printer.step('postgres', (report) =>
      makePart('postgres', drafts, report, () => stagePostgres(drafts, report)),
    );
    await printer.step('minio', (report) =>
      makePart('minio', drafts, report, () => stageMinio(settings, drafts, report)),
    );
    await Promise.all([built, runtimes]);
    await printer.step('service', (report) => makeService(drafts, report));
  } finally {
    rmSync(drafts, { recursive: true, force: true });
  }
}

async function engine(): Promise<void> {
  if (findProgram('docker') === undefined)
    throw new LaunchError(
      'There is no program "docker" on the PATH: install Docker (Debian: apt-get install docker.io).',
    );
  await runTool('docker', ['version']).catch((cause: unknown) => {
    throw new LaunchError('No Docker engine answers: start it, or name it with DOCKER_HOST.', [], { cause });
  });
}

async function makeBase({ cache }: Settings, report: Report): Promise<void> {
  const name = 'openscf/base:local';
  if (await exists(name)) return report('there already');
  const pulled = await runTool(
    'docker',
    ['build', '-t', name, '--build-arg', `PACKAGES=${PACKAGES}`, join(RECIPES, 'base')],
    { onLine: report },
  ).then(
    () => true,
    () => false,
  );
  if (pulled) return;
  report('made from Debian packages, because it cannot be pulled');
  await runTool('docker', ['import', await baseArchive(cache, report), name], { onLine: report });
}

/** Takes a minute to make and is the same for every engine. */
async function baseArchive(cache: string, report: Report): Promise<string> {
  const key = createHash('sha256').update(`${SUITE} ${PACKAGES} ${process.arch}`).digest('hex').slice(0, 12);
  const folder = await cachedFolder(cache, `image-base-${key}`, report, async (draft) => {
    if (findProgram('mmdebstrap') === undefined)
      throw new LaunchError(
        'The base image cannot be pulled, and there is no mmdebstrap to make it: apt-get install mmdebstrap.',
      );
    const include = PACKAGES.replaceAll(' ', ',');
    const archive = join(draft, 'base.tar');
    const options = ['--variant=minbase', '--quiet', `--include=${include}`, ...SMALL];
    await runTool('mmdebstrap', [...options, SUITE, archive], { onLine: report });
  });
  return join(folder, 'base.tar');
}

/** The official image under our name, or else the one that is built from what `stage` lays into the draft folder. */
async function makePart(
  name: keyof typeof OFFICIAL,
  drafts: string,
  report: Report,
  stage: () => Promise<void>,
): Promise<void> {
  report(`pulling ${OFFICIAL[name]}`);
  const pulled = await runTool('docker', ['pull', OFFICIAL[name]], { onLine: report }).then(
    () => true,
    () => false,
  );
  if (pulled) return void (await runTool('docker', ['tag', OFFICIAL[name], `openscf/${name}:local`]));
  report('built here, because it cannot be pulled');
  mkdirSync(join(drafts, name));
  await stage();
  await build(name, drafts, report);
}

async function build(name: string, drafts: string, report: Report): Promise<void> {
  cpSync(join(RECIPES, name), join(drafts, name), { recursive: true });
  await runTool('docker', ['build', '-t', `openscf/${name}:local`, join(drafts, name)], { onLine: report });
}

async function stageKafka({ cache }: Settings, drafts: string, report: Report): Promise<void> {
  const { jars } = await kafkaPrograms(cache, report);
  cpSync(jars, join(drafts, 'kafka/jars'), { recursive: true });
  cpSync(join(REPOSITORY, 'infra/local/kafka/log4j.properties'), join(drafts, 'kafka/log4j.properties'));
}

async function stagePostgres(drafts: string, report: Report): Promise<void> {
  const { postgres } = await postgresPrograms(report);
  cpSync(dirname(dirname(postgres)), join(drafts, 'postgres/native'), {
    recursive: true,
    verbatimSymlinks: true,
  });
}

async function stageMinio({ cache }: Settings, drafts: string, report: Report): Promise<void> {
  const program = await minioProgram(cache, report);
  const staged = join(drafts, 'minio/minio');
  try {
    linkSync(program, staged);
  } catch {
    cpSync(program, staged); // on another disk
  }
}

async function makeService(drafts: string, report: Report): Promise<void> {
  mkdirSync(join(drafts, 'service'));
  cpSync(join(REPOSITORY, 'node_modules/node/bin/node'), join(drafts, 'service/node'), { dereference: true });
  stageApp({ modules: join(drafts, 'service/modules'), app: join(drafts, 'service/app') });
  await build('service', drafts, report);
}

async function exists(image: string): Promise<boolean> {
  return runTool('docker', ['image', 'inspect', image]).then(
    () => true,
    () => false,
  );
}

try {
  await main(settingsFrom(process.env));
} catch (error) {
  console.error(`✘ ${sentenceFor(error)}`);
  for (const line of error instanceof LaunchError ? error.logTail : []) console.error(`    ${line}`);
  process.exitCode = 1;
}
