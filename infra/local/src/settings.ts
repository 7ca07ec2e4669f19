// Turns the environment into the launcher's typed settings. Every variable that the launcher reads is named here.
import { homedir, totalmem } from 'node:os';
import { join, resolve } from 'node:path';
import { LaunchError } from './launch.errors.ts';

/** What listens on a port, the variable that moves it, and where it listens by default. */
export const PORTS = {
  gateway: { variable: 'OPENSCF_GATEWAY_PORT', fallback: 8080 },
  'function-registry': { variable: 'OPENSCF_FUNCTION_REGISTRY_PORT', fallback: 8081 },
  scheduler: { variable: 'OPENSCF_SCHEDULER_PORT', fallback: 8082 },
  invoker: { variable: 'OPENSCF_INVOKER_PORT', fallback: 8083 },
  'trigger-bridge': { variable: 'OPENSCF_TRIGGER_BRIDGE_PORT', fallback: 8084 },
  log: { variable: 'OPENSCF_LOG_PORT', fallback: 8085 },
  'invoker-dispatch': { variable: 'OPENSCF_INVOKER_DISPATCH_PORT', fallback: 8093 },
  kafka: { variable: 'OPENSCF_KAFKA_PORT', fallback: 9092 },
  postgres: { variable: 'OPENSCF_POSTGRES_PORT', fallback: 5432 },
  minio: { variable: 'OPENSCF_MINIO_PORT', fallback: 9000 },
  'minio-console': { variable: 'OPENSCF_MINIO_CONSOLE_PORT', fallback: 9001 },
} as const;

export type PortName = keyof typeof PORTS;
export type Ports = Record<PortName, number>;
export type Environment = Readonly<Record<string, string | undefined>>;

export interface Settings {
  /** Data, logs and keys that are kept between runs. */
  home: string;
  /** Downloaded and built programs; may be deleted at any time while nothing runs. */
  cache: string;
  ports: Ports;
  platformBucket: string;
  region: string;
  appId: string;
  uin: string;
  sandboxDriver: 'runc' | 'docker';
  invokerMemoryMb: number;
  /** Variables of the user that are handed on to the services as they are. */
  handedOn: Record<string, string>;
}

export function settingsFrom(environment: Environment): Settings {
  const text = (name: string, fallback: string) => environment[name] || fallback;
  const ports = Object.fromEntries(
    Object.entries(PORTS).map(([name, { variable, fallback }]) => [
      name,
      portFrom(environment, variable, fallback),
    ]),
  ) as Ports;
  return {
    home: resolve(text('OPENSCF_HOME', join(homedir(), '.openscf'))),
    cache: resolve(text('OPENSCF_CACHE', join(homedir(), '.cache', 'openscf'))),
    ports,
    platformBucket: text('OPENSCF_PLATFORM_BUCKET', 'openscf-platform'),
    region: text('OPENSCF_REGION', 'ap-guangzhou'),
    appId: text('OPENSCF_APP_ID', '1250000000'),
    uin: text('OPENSCF_UIN', '100000000001'),
    sandboxDriver: driverFrom(environment),
    invokerMemoryMb: wholeNumber(
      environment,
      'OPENSCF_INVOKER_MEMORY_MB',
      Math.floor(totalmem() / 2 ** 21),
      128,
      2 ** 22,
    ),
    handedOn: handedOn(environment),
  };
}

function portFrom(environment: Environment, variable: string, fallback: number): number {
  return wholeNumber(environment, variable, fallback, 1, 65_535);
}

function wholeNumber(
  environment: Environment,
  variable: string,
  fallback: number,
  least: number,
  most: number,
): number {
  const given = environment[variable];
  if (given === undefined || given === '') return fallback;
  const value = Number(given);
  if (!Number.isInteger(value) || value < least || value > most) {
    throw new LaunchError(
      `${variable} is "${given}", but it must be a whole number from ${least} to ${most}.`,
    );
  }
  return value;
}

function driverFrom(environment: Environment): Settings['sandboxDriver'] {
  const fallback = process.platform === 'linux' && process.getuid?.() === 0 ? 'runc' : 'docker';
  const given = environment['OPENSCF_SANDBOX_DRIVER'] || fallback;
  if (given === 'runc' || given === 'docker') return given;
  throw new LaunchError(`OPENSCF_SANDBOX_DRIVER is "${given}", but it must be runc or docker.`);
}

/** OPENSCF_* and OTEL_* reach the services; nothing else of the user's environment does. */
function handedOn(environment: Environment): Record<string, string> {
  return Object.fromEntries(
    Object.entries(environment).filter(
      (entry): entry is [string, string] => entry[1] !== undefined && /^(OPENSCF|OTEL)_/.test(entry[0]),
    ),
  );
}
