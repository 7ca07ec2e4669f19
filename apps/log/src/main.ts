import { runService } from '@openscf/service-kit';
import { createLogger } from '@openscf/telemetry';
import { loadLogConfig } from './log.config.js';
import { LogModule } from './log.module.js';

const config = loadLogConfig();
const logger = createLogger('log', config.logLevel);

await runService({
  name: 'log',
  module: LogModule.forRoot(config, logger),
  http: { host: config.host, port: config.port },
  logger,
  commands: true,
});
