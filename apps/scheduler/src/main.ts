import { runService } from '@openscf/service-kit';
import { createLogger } from '@openscf/telemetry';
import { loadSchedulerConfig } from './scheduler.config.js';
import { SchedulerModule } from './scheduler.module.js';

const config = loadSchedulerConfig();
const logger = createLogger('scheduler', config.logLevel);

await runService({
  name: 'scheduler',
  module: SchedulerModule.forRoot(config, logger),
  http: { host: config.host, port: config.port },
  logger,
});
