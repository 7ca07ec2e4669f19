/**
 * One platform for all end-to-end specs: started once, with a home of its own and free ports, and looked at afterwards: whatever it
 * left on the machine fails the run. The specs reach it through `platform.ts`.
 */
import { randomBytes } from 'node:crypto';
import { chmod, mkdir, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { startPlatform, type Running } from '@openscf/infra-local';
import { leftovers } from '@openscf/testing';
import type { TestProject } from 'vitest/node';
import { startControl, type Control } from './control.server.js';

export interface PlatformAddress {
  gateway: string;
  kafka: string;
  minio: string;
  secretId: string;
  secretKey: string;
  minioAccessKey: string;
  minioSecretKey: string;
  /** Reaches the platform's own bucket too, to see what is left there. */
  minioRootUser: string;
  minioRootPassword: string;
  /** Where `platform.ts` asks for signals and process ids. */
  control: string;
  home: string;
  /** A directory of this host that functions may mount, by this name. */
  shared: { name: string; folder: string };
}

declare module 'vitest' {
  interface ProvidedContext {
    platform: PlatformAddress;
  }
}

/** Shorter than in earnest, so that a run ends. */
const ENVIRONMENT = { OPENSCF_KAFKA_RETRY_SECONDS: '1' };
/** Short enough that the names of network namespaces and cgroups carry it whole. */
const invokerId = `e2e-${randomBytes(4).toString('hex')}`;

let running: Running | undefined;
let control: Control | undefined;
let home = '';

export async function setup(project: TestProject): Promise<void> {
  home = await mkdtemp(join(tmpdir(), 'openscf-e2e-'));
  const shared = { name: 'cfs-e2e', folder: join(home, 'shared') };
  await mkdir(shared.folder);
  // Functions write to it as a user of their own.
  await chmod(shared.folder, 0o777);
  const environment = {
    ...ENVIRONMENT,
    OPENSCF_INVOKER_ID: invokerId,
    OPENSCF_SHARED_FILE_SYSTEMS: `${shared.name}=${shared.folder}`,
  };
  running = await startPlatform({ home, environment });
  control = await startControl(running);
  const { urls, keys } = running;
  project.provide('platform', {
    gateway: urls.gateway,
    kafka: urls.kafka,
    minio: urls.minio,
    secretId: keys.secretId,
    secretKey: keys.secretKey,
    minioAccessKey: keys.minioAccessKey,
    minioSecretKey: keys.minioSecretKey,
    minioRootUser: keys.minioRootUser,
    minioRootPassword: keys.minioRootPassword,
    control: control.url,
    home,
    shared,
  });
}

export async function teardown(): Promise<void> {
  await control?.stop();
  await running?.stop();
  const left = await leftovers({ home, invokerId });
  if (left.length > 0) throw new Error(`left behind after the platform was stopped:\n${left.join('\n')}`);
  await rm(home, { recursive: true, force: true });
}
