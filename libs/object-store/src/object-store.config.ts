import { defineConfig, text, url } from '@openscf/config';

export const objectStoreConfig = defineConfig({
  minioUrl: {
    variable: 'OPENSCF_MINIO_URL',
    schema: url('http', 'https'),
    default: 'http://127.0.0.1:9000',
    accepts: 'http://host:port or https://host:port',
  },
  minioRootUser: {
    variable: 'OPENSCF_MINIO_ROOT_USER',
    schema: text,
    accepts: "the name of MinIO's root user",
  },
  minioRootPassword: {
    variable: 'OPENSCF_MINIO_ROOT_PASSWORD',
    schema: text,
    accepts: "the password of MinIO's root user",
    secret: true,
  },
  platformBucket: {
    variable: 'OPENSCF_PLATFORM_BUCKET',
    schema: text,
    default: 'openscf-platform',
    accepts: 'the name of a bucket that users cannot reach',
  },
});
