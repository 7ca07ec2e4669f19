/** The platform of docker-compose.yml, on the engine of this run, with a home and ports of its own. */
import { execFile } from 'node:child_process';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { homedir, tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { uniqueName } from '@openscf/testing';
import { DockerComposeEnvironment, Wait, type StartedDockerComposeEnvironment } from 'testcontainers';
import { docker, ports } from './engine.js';
import { hostTraces } from './leftovers.js';

const REPOSITORY = fileURLToPath(new URL('../../..', import.meta.url));
const START_MS = 180_000;

/** Each service, and the port in its container at which it says that it is ready. */
const READY_PORTS = {
  gateway: 8080,
  'function-registry': 8081,
  scheduler: 8082,
  invoker: 8083,
  'trigger-bridge': 8084,
  log: 8085,
};

export interface Deployment {
  /** Lines of the credentials file by name: TENCENTCLOUD_SECRET_ID and so on. */
  credentials: Record<string, string>;
  /** The last lines that each container has printed. */
  logs(): Promise<string>;
  /** Takes everything down, data included; what is left of it all the same, one line for each. */
  stop(): Promise<string[]>;
}

/**
 * Resolves when all six services are ready. testcontainers' own environment does it with Docker's `compose` as well as with the
 * older `docker-compose`, which is a program of its own and puts underscores into the containers' names.
 */
export async function startDeployment(): Promise<Deployment> {
  const home = await mkdtemp(join(tmpdir(), 'openscf-compose-'));
  const project = uniqueName('openscf');
  const standalone = !(await hasComposePlugin());
  const environment = new DockerComposeEnvironment(REPOSITORY, 'docker-compose.yml')
    .withProjectName(project)
    .withEnvironment({
      OPENSCF_HOME: home,
      OPENSCF_CACHE: process.env['OPENSCF_CACHE'] || join(homedir(), '.cache/openscf'),
      OPENSCF_GATEWAY_PORT: String(ports.gateway),
      OPENSCF_KAFKA_PORT: String(ports.kafka),
      OPENSCF_MINIO_PORT: String(ports.minio),
      OPENSCF_MINIO_CONSOLE_PORT: String(ports.minioConsole),
    })
    .withStartupTimeout(START_MS);
  if (standalone) environment.withClientOptions({ executable: { standalone } });
  for (const [service, port] of Object.entries(READY_PORTS))
    environment.withWaitStrategy(
      standalone ? `${project}_${service}_1` : `${service}-1`,
      Wait.forSuccessfulCommand(
        `bash -c 'exec 3<>/dev/tcp/127.0.0.1/${port}; printf "GET /ready HTTP/1.0\\r\\n\\r\\n" >&3; head -1 <&3 | grep -q 200'`,
      ),
    );
  const filter = `label=com.docker.compose.project=${project}`;
  let started: StartedDockerComposeEnvironment;
  try {
    started = await environment.up();
  } catch (error) {
    await rm(home, { recursive: true, force: true });
    throw error;
  }
  const names = await namesOf(filter);
  return {
    credentials: await readCredentials(join(home, 'credentials')),
    logs: () => lastLines(filter),
    stop: async () => {
      await started.down({ removeVolumes: true });
      await rm(home, { recursive: true, force: true });
      return leftovers(filter, names);
    },
  };
}

async function hasComposePlugin(): Promise<boolean> {
  return promisify(execFile)('docker', ['compose', 'version']).then(
    () => true,
    () => false,
  );
}

/** Ids of the containers and names of their volumes: anonymous ones carry no label. */
async function namesOf(filter: string): Promise<string[]> {
  const ids = await docker('ps', '-aq', '--no-trunc', '--filter', filter);
  const volumes = await docker('inspect', '--format', '{{range .Mounts}}{{println .Name}}{{end}}', ...ids);
  return [...ids, ...new Set(volumes)];
}

async function lastLines(filter: string): Promise<string> {
  const containers = await docker('ps', '-a', '--filter', filter, '--format', '{{.Names}}');
  const texts = await Promise.all(
    containers.map(async (name) => [`== ${name}`, ...(await docker('logs', '--tail', '20', name))]),
  );
  return texts.flat().join('\n');
}

async function leftovers(filter: string, names: string[]): Promise<string[]> {
  const [containers, networks, volumes, traces] = await Promise.all([
    docker('ps', '-aq', '--no-trunc', '--filter', filter),
    docker('network', 'ls', '-q', '--filter', filter),
    docker('volume', 'ls', '-q'),
    hostTraces(names),
  ]);
  return [
    ...containers.map((id) => `container ${id}`),
    ...networks.map((id) => `network ${id}`),
    ...volumes.filter((name) => names.includes(name)).map((name) => `volume ${name}`),
    ...traces,
  ];
}

async function readCredentials(file: string): Promise<Record<string, string>> {
  const lines = (await readFile(file, 'utf8')).split('\n').filter(Boolean);
  return Object.fromEntries(lines.map((line) => line.split('=', 2) as [string, string]));
}
