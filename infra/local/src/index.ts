// Starts parts, or the whole platform, for tests: own home, free ports, nothing printed, nothing left behind.
import { freePortSet } from './ports.ts';
import { PART_NAMES, type PartName } from './parts/parts.ts';
import { Platform } from './platform.ts';
import { toldProgress } from './progress/progress.ts';
import { SERVICE_NAMES, type ServiceName } from './services/services.ts';
import { settingsFrom, type Ports } from './settings.ts';

export type { PartName } from './parts/parts.ts';
export { SERVICE_NAMES, type ServiceName } from './services/services.ts';
export type { Ports } from './settings.ts';
export { cachedFolder } from './caches/cache.ts';
export { freePort, freePorts } from './ports.ts';

export interface StartPartsOptions {
  /** Folder for data, logs and keys; made when missing, kept after stop(). */
  home: string;
  /** Folder of programs; by default the user's, so that nothing is fetched twice. */
  cache?: string;
  /** By default free ones. */
  ports?: Partial<Ports>;
  /** By default all three. */
  parts?: readonly PartName[];
  /** Is told what is being done right now; a program that is made for the first time may take minutes. */
  report?: (doing: string) => void;
}

export interface StartPlatformOptions extends StartPartsOptions {
  /** By default all six. They must have been built. */
  services?: readonly ServiceName[];
  /** Variables for the services, over the launcher's own. */
  environment?: Record<string, string>;
}

export interface Running {
  ports: Ports;
  urls: { kafka: string; postgres: string; minio: string; gateway: string };
  /** Root key of the Cloud API, S3 user for people, root user of MinIO. */
  keys: {
    secretId: string;
    secretKey: string;
    minioAccessKey: string;
    minioSecretKey: string;
    minioRootUser: string;
    minioRootPassword: string;
  };
  /** What a service gets as its environment: OPENSCF_KAFKA_BROKERS and so on. */
  environment: Record<string, string>;
  /** Process id of a part or service, undefined while it is down. */
  pid(name: PartName | ServiceName): number | undefined;
  isHealthy(name: PartName | ServiceName): boolean;
  /** How often it was started again. */
  restarts(name: PartName | ServiceName): number;
  /** Sends a signal (SIGKILL by default); the supervisor starts again what ends by it. */
  kill(name: PartName | ServiceName, signal?: NodeJS.Signals): void;
  /** Stops one cleanly and keeps it down until startAgain. */
  stopOne(name: PartName | ServiceName): Promise<void>;
  startAgain(name: PartName | ServiceName): Promise<void>;
  logFile(name: PartName | ServiceName): string;
  /** Stops everything; no process is left when it resolves. */
  stop(): Promise<void>;
}

export async function startParts(options: StartPartsOptions): Promise<Running> {
  return start({ ...options, services: [] });
}

export async function startPlatform(options: StartPlatformOptions): Promise<Running> {
  return start(options);
}

async function start(options: StartPlatformOptions): Promise<Running> {
  const { home, cache, parts = PART_NAMES, services = SERVICE_NAMES, environment = {} } = options;
  const { report = () => {} } = options;
  const given = settingsFrom({
    ...process.env,
    OPENSCF_HOME: home,
    ...(cache === undefined ? {} : { OPENSCF_CACHE: cache }),
  });
  const ports = { ...(await freePortSet()), ...options.ports };
  const platform = new Platform({ ...given, ports }, toldProgress(report));
  try {
    const starting = platform.startParts(parts);
    const servicesUp = starting.begun.then(() => platform.startServices(services, starting, environment));
    await Promise.all([starting.up, servicesUp]);
  } catch (error) {
    await platform.supervisor.stop();
    throw error;
  }
  platform.supervisor.ready();
  return running(platform);
}

function running(platform: Platform): Running {
  const { supervisor, keys, settings } = platform;
  const { ports } = settings;
  const environment = platform.serviceEnvironment();
  return {
    ports,
    urls: {
      kafka: `127.0.0.1:${ports.kafka}`,
      postgres: environment['OPENSCF_POSTGRES_URL'] as string,
      minio: `http://127.0.0.1:${ports.minio}`,
      gateway: `http://127.0.0.1:${ports.gateway}`,
    },
    keys,
    environment,
    pid: (name) => supervisor.child(name).pid,
    isHealthy: (name) => supervisor.child(name).isHealthy,
    restarts: (name) => supervisor.child(name).restartCount,
    kill: (name, signal = 'SIGKILL') => supervisor.child(name).kill(signal),
    stopOne: (name) => supervisor.child(name).stop(),
    startAgain: (name) => supervisor.child(name).start(),
    logFile: (name) => supervisor.child(name).spec.logFile,
    stop: () => supervisor.stop(),
  };
}
