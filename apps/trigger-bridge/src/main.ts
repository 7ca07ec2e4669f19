import { runService } from '@openscf/service-kit';
import { createLogger } from '@openscf/telemetry';
import { loadBridgeConfig } from './bridge.config.js';
import { BridgeModule } from './bridge.module.js';
import { BridgeService } from './bridge.service.js';

const config = loadBridgeConfig();
const logger = createLogger('trigger-bridge', config.logLevel);

await runService({
  name: 'trigger-bridge',
  module: BridgeModule.forRoot(config, logger),
  http: { host: config.host, port: config.port },
  logger,
  beforeReady: (app) => app.get(BridgeService, { strict: false }).start(),
});
