import { Readiness, runService } from '@openscf/service-kit';
import { createLogger } from '@openscf/telemetry';
import { CloudApi } from './cloud-api/cloud-api.js';
import { FrontDoor } from './cloud-api/front-door.js';
import { FunctionUrls } from './function-url/function-urls.js';
import { loadGatewayConfig } from './gateway.config.js';
import { GatewayModule, GatewayTables } from './gateway.module.js';

const config = loadGatewayConfig();
const logger = createLogger('gateway', config.logLevel);
const frontDoor = new FrontDoor(logger);

await runService({
  name: 'gateway',
  module: GatewayModule.forRoot(config, logger),
  http: {
    host: config.host,
    port: config.port,
    serverFactory: (fallback) => frontDoor.createServer(fallback),
  },
  logger,
  // Sync calls of known functions go on.
  readyWithoutKafka: true,
  beforeReady: async (app) => {
    const tables = app.get(GatewayTables);
    app.get(Readiness).add('tables', () => tables.isReady);
    await tables.ready();
    frontDoor.attach(app.get(CloudApi), app.get(FunctionUrls));
  },
});
