import { describe, expect, it } from 'vitest';
import { settingsFrom } from './settings.ts';

describe('settingsFrom', () => {
  it('has the documented ports by default', () => {
    expect(settingsFrom({}).ports).toMatchObject({
      gateway: 8080,
      kafka: 9092,
      minio: 9000,
      'minio-console': 9001,
    });
  });

  it('takes ports and folders from their variables', () => {
    const settings = settingsFrom({ OPENSCF_HOME: '/data', OPENSCF_KAFKA_PORT: '19092' });
    expect(settings.home).toBe('/data');
    expect(settings.ports.kafka).toBe(19_092);
  });

  it.each(['0', '65536', 'many', '80.5', '-1'])('refuses "%s" as a port and names the variable', (given) => {
    expect(() => settingsFrom({ OPENSCF_MINIO_PORT: given })).toThrow(
      `OPENSCF_MINIO_PORT is "${given}", but it must be a whole number from 1 to 65535.`,
    );
  });

  it('refuses an unknown sandbox driver', () => {
    expect(() => settingsFrom({ OPENSCF_SANDBOX_DRIVER: 'podman' })).toThrow('must be runc or docker');
  });

  it('hands on only variables of the platform and of telemetry', () => {
    const environment = { OPENSCF_LOG_LEVEL: 'debug', OTEL_SERVICE_NAME: 'x', HTTP_PROXY: 'p', SECRET: 's' };
    expect(settingsFrom(environment).handedOn).toEqual({
      OPENSCF_LOG_LEVEL: 'debug',
      OTEL_SERVICE_NAME: 'x',
    });
  });
});
