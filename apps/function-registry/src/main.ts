import { loadConfig } from '@openscf/config';
import { runService } from '@openscf/service-kit';
import { createLogger } from '@openscf/telemetry';
import { registryConfig } from './registry.config.js';
import { RegistryModule } from './registry.module.js';

const config = loadConfig(registryConfig);
const logger = createLogger('function-registry', config.logLevel);

await runService({
  name: 'function-registry',
  module: RegistryModule.forRoot(config, logger),
  http: { host: config.host, port: config.port },
  logger,
  commands: true,
});
