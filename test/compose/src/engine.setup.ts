/**
 * One Docker engine with our images for all specs: the host's when one runs, else one of its own that is gone afterwards. The specs
 * reach it through `engine.ts`.
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { dirname } from 'node:path';
import { fileURLToPath } from 'node:url';
import { freePorts } from '@openscf/infra-local';
import { launchEngine, type Engine } from '@openscf/testing';
import type { TestProject } from 'vitest/node';
import { hostTraces } from './leftovers.js';

export interface EngineAddress {
  socketPath: string;
  /** Free ports of 127.0.0.1 that lead to what containers publish there. */
  ports: { gateway: number; kafka: number; postgres: number; minio: number; minioConsole: number };
}

declare module 'vitest' {
  interface ProvidedContext {
    engine: EngineAddress;
  }
}

const BUILD = fileURLToPath(new URL('../../../infra/images/build.mjs', import.meta.url));

let engine: Engine | undefined;

export async function setup(project: TestProject): Promise<void> {
  engine = await launchEngine();
  try {
    await buildImages(engine.socketPath);
    const free = await freePorts(5);
    await engine.openPorts(free);
    const [gateway, kafka, postgres, minio, minioConsole] = free as [number, number, number, number, number];
    const ports = { gateway, kafka, postgres, minio, minioConsole };
    project.provide('engine', { socketPath: engine.socketPath, ports });
  } catch (error) {
    await teardown();
    throw error;
  }
}

export async function teardown(): Promise<void> {
  await engine?.stop();
  const folder = dirname(engine?.socketPath ?? '');
  const left = folder.includes('openscf-engine') ? await hostTraces([folder]) : [];
  if (left.length > 0) throw new Error(`left behind after the engine was stopped:\n${left.join('\n')}`);
}

async function buildImages(socketPath: string): Promise<void> {
  const build = spawn(process.execPath, [BUILD], {
    env: { ...process.env, DOCKER_HOST: `unix://${socketPath}` },
    stdio: ['ignore', 'inherit', 'inherit'],
  });
  const [code] = (await once(build, 'exit')) as [number | null];
  if (code !== 0) throw new Error('the images could not be built: see above');
}
