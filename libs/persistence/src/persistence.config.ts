import { defineConfig, url } from '@openscf/config';

export const postgresConfig = defineConfig({
  postgresUrl: {
    variable: 'OPENSCF_POSTGRES_URL',
    schema: url('postgres', 'postgresql'),
    default: 'postgres://openscf:openscf@127.0.0.1:5432/openscf',
    accepts: 'postgres://user:password@host:port/database',
    secret: true,
  },
});
