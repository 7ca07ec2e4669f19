import { z } from 'zod';
import { path, text } from './config.schema.js';
import { defineConfig } from './config.types.js';

/** What every service knows of the installation. */
export const platformConfig = defineConfig({
  home: { variable: 'OPENSCF_HOME', schema: path, default: '~/.openscf', accepts: 'a directory for data' },
  cache: {
    variable: 'OPENSCF_CACHE',
    schema: path,
    default: '~/.cache/openscf',
    accepts: 'a directory for what can be downloaded or built again',
  },
  region: {
    variable: 'OPENSCF_REGION',
    schema: text,
    default: 'ap-guangzhou',
    accepts: 'a region, for example ap-guangzhou',
  },
  appId: {
    variable: 'OPENSCF_APP_ID',
    schema: z.string().regex(/^\d+$/, 'not digits'),
    default: '1250000000',
    accepts: 'an account id of digits',
  },
  uin: {
    variable: 'OPENSCF_UIN',
    schema: z.string().regex(/^\d+$/, 'not digits'),
    default: '100000000001',
    accepts: 'a user id of digits',
  },
  logLevel: {
    variable: 'OPENSCF_LOG_LEVEL',
    schema: z.enum(['debug', 'info', 'warn', 'error', 'silent']),
    default: 'info',
    accepts: 'debug, info, warn, error or silent',
  },
});
