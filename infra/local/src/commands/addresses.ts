import { join } from 'node:path';
import type { Settings } from '../settings.ts';

/** Where everything is, for a person. */
export function addresses({ home, ports, handedOn }: Settings): string {
  const host = handedOn['OPENSCF_GATEWAY_HOST'] ?? '127.0.0.1';
  const rows = [
    [
      'Cloud API',
      `http://${host}:${ports.gateway}  (SDKs: endpoint ${host}:${ports.gateway}, protocol http://)`,
    ],
    ['Kafka', `127.0.0.1:${ports.kafka}`],
    ['MinIO', `http://127.0.0.1:${ports.minio}  (console http://127.0.0.1:${ports['minio-console']})`],
    ['PostgreSQL', `127.0.0.1:${ports.postgres}`],
    ['Keys', join(home, 'credentials')],
    ['Logs', join(home, 'logs')],
  ];
  return rows.map(([name = '', value = '']) => `  ${name.padEnd(11)} ${value}`).join('\n');
}

export function runsAlready(settings: Settings, pid: number): string {
  return `OpenSCF runs already (process ${pid}, home ${settings.home}); \`npm stop\` stops it.\n${addresses(settings)}`;
}
