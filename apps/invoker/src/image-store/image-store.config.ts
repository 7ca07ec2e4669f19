import { defineConfig, integer } from '@openscf/config';
import { ociConfig } from '@openscf/oci';

export const imageStoreConfig = {
  ...ociConfig,
  ...defineConfig({
    imageCacheMb: {
      variable: 'OPENSCF_IMAGE_CACHE_MB',
      schema: integer(1),
      default: '8192',
      accepts: 'MB of disk for unpacked images, at least 1',
    },
    imagePullSeconds: {
      variable: 'OPENSCF_IMAGE_PULL_SECONDS',
      schema: integer(1, 3_600),
      default: '300',
      accepts: 'how many seconds pulling and unpacking an image may take, 1 to 3600',
    },
  }),
};
