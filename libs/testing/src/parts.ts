import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { startParts, type PartName, type Running } from '@openscf/infra-local';
import { inject } from 'vitest';

/** Where the parts of this run are; plain data, because it crosses from the set-up's process to the tests'. */
export interface PartsAddress {
  readonly brokers: string[];
  readonly postgresUrl: string;
  readonly minio: { url: string; accessKey: string; secretKey: string };
  /** What a service would get as its environment. */
  readonly environment: Record<string, string>;
}

declare module 'vitest' {
  interface ProvidedContext {
    openscfParts: PartsAddress;
  }
}

/** Kafka, PostgreSQL and MinIO that all integration tests of this run have in common. Use names of your own in them. */
export function sharedParts(): PartsAddress {
  return inject('openscfParts');
}

/** Parts of one's own, to break: `parts.kill('kafka')`, `parts.stopOne(…)`. `stop()` leaves nothing behind. */
export async function startOwnParts(
  parts: readonly PartName[],
  report?: (doing: string) => void,
): Promise<Running> {
  const home = await mkdtemp(join(tmpdir(), 'openscf-test-'));
  const running = await startParts({ home, parts, ...(report && { report }) }).catch(
    async (error: unknown) => {
      await rm(home, { recursive: true, force: true });
      throw error;
    },
  );
  return {
    ...running,
    stop: async () => {
      await running.stop();
      await rm(home, { recursive: true, force: true });
    },
  };
}

export function addressOf({ urls, keys, environment }: Running): PartsAddress {
  return {
    brokers: [urls.kafka],
    postgresUrl: urls.postgres,
    minio: { url: urls.minio, accessKey: keys.minioRootUser, secretKey: keys.minioRootPassword },
    environment,
  };
}
