import { defineConfig } from '@openscf/config';
import { z } from 'zod';

export const telemetryConfig = defineConfig({
  otlpEndpoint: {
    variable: 'OTEL_EXPORTER_OTLP_ENDPOINT',
    schema: z.url({ protocol: /^https?$/ }).optional(),
    accepts: 'the http:// or https:// address of an OTLP collector; unset means that nothing is traced',
  },
});
