// Waits until Kafka, PostgreSQL and MinIO do their work, then makes MinIO's user for people. The services start after it.
import { setTimeout as delay } from 'node:timers/promises';
import { openHome } from '../home/home.ts';
import { openKeys } from '../home/keys.ts';
import { ensurePeopleUser } from '../minio-admin/client.ts';
import { httpProbe } from '../probes/http.probe.ts';
import { kafkaProbe } from '../probes/kafka.probe.ts';
import { postgresProbe } from '../probes/postgres.probe.ts';

const WITHIN_MS = 120_000;

async function until(name: string, probe: () => Promise<void>): Promise<void> {
  for (const deadline = Date.now() + WITHIN_MS; ; await delay(200)) {
    try {
      await probe();
      return console.log(`${name} is ready`);
    } catch (error) {
      if (Date.now() > deadline)
        throw new Error(`${name} was not ready within ${WITHIN_MS / 1_000} s`, { cause: error });
    }
  }
}

await Promise.all([
  until('kafka', () => kafkaProbe({ host: 'kafka', port: 19_092 })),
  until('postgres', () => postgresProbe({ host: 'postgres', port: 5_432 }, 'openscf')),
  until('minio', () => httpProbe({ host: 'minio', port: 9_000 }, '/minio/health/ready')),
]);
const keys = openKeys(openHome(process.env['OPENSCF_KEYS'] ?? '/keys'));
await ensurePeopleUser(
  { url: 'http://minio:9000', rootUser: keys.minioRootUser, rootPassword: keys.minioRootPassword },
  {
    accessKey: keys.minioAccessKey,
    secretKey: keys.minioSecretKey,
    closedBucket: process.env['OPENSCF_PLATFORM_BUCKET'] ?? 'openscf-platform',
  },
);
console.log("MinIO's user for people is there.");
