import { defineConfig, path } from '@openscf/config';
import { z } from 'zod';

/** Registries, and who we are to them. Credentials stay in the operator's file: they are in no topic and no database. */
export const ociConfig = defineConfig({
  registryAuthFile: {
    variable: 'OPENSCF_REGISTRY_AUTH_FILE',
    schema: path.optional(),
    accepts: "a file in the form of Docker's config.json, with the credentials of registries",
  },
  insecureRegistries: {
    variable: 'OPENSCF_INSECURE_REGISTRIES',
    schema: z
      .string()
      .transform((value) => value.split(',').map((entry) => entry.trim()))
      .pipe(z.array(z.string().regex(/^[^\s/]+$/, 'not host or host:port')))
      .or(z.undefined().transform((): string[] => [])),
    accepts: 'registries (host or host:port, several separated by commas) that may be reached without TLS',
  },
});
