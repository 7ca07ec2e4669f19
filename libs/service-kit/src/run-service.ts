import 'reflect-metadata';
import { startTelemetry } from '@openscf/telemetry';
import { createApp } from './create-app.js';
import { drainApp } from './drain.js';
import { prepareProviders } from './on-prepare.js';
import { onEnd } from './process-end.js';
import { prepareBus } from './prepare-bus.js';
import type { ServiceOptions } from './service.types.js';

/** How long a service may take to end. */
const DRAIN_MS = 10_000;

/**
 * Starts a service and keeps it until SIGTERM or SIGINT. In order: modules, topics and what providers prepare (at the same time),
 * `onModuleInit`, `beforeReady`, commands, the port. It is started beside the parts that it needs: it waits for those that are not there yet
 * as long as it takes, and says so. An error that nobody caught ends the process with 1.
 */
export async function runService(options: ServiceOptions): Promise<void> {
  const { name, logger, http } = options;
  process.title = `openscf-${name}`;
  const end = onEnd(logger);
  try {
    const telemetry = await startTelemetry(name);
    end.before(() => telemetry.stop());
    const app = await createApp(options);
    await Promise.all([prepareBus(app, options, end.signal), prepareProviders(app)]);
    await app.init();
    await options.beforeReady?.(app);
    if (options.commands) await app.startAllMicroservices();
    await app.listen(http.port, http.host);
    end.drainWith(() => drainApp(app, Date.now() + DRAIN_MS, logger));
    logger.info({ url: await app.getUrl(), bootMs: Math.round(process.uptime() * 1000) }, 'service started');
  } catch (error) {
    end.fail(error, 'service could not start');
  }
}
