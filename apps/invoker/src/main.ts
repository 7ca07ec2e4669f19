import { runService } from '@openscf/service-kit';
import { createLogger } from '@openscf/telemetry';
import { loadInvokerConfig } from './invoker.config.js';
import { InvokerModule } from './invoker.module.js';
import { InvokerService } from './invoker.service.js';

const config = loadInvokerConfig();
const logger = createLogger('invoker', config.logLevel);

await runService({
  name: 'invoker',
  module: InvokerModule.forRoot(config, logger),
  http: { host: config.host, port: config.port },
  logger,
  beforeReady: (app) => app.get(InvokerService, { strict: false }).start(),
});
