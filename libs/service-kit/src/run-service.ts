import 'reflect-metadata';
import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import type { DynamicModule, INestApplication, Type } from '@nestjs/common';
import { startTelemetry, type Logger } from '@openscf/telemetry';
import { createApp } from './create-app.js';
import { drainApp } from './drain.js';
import { onEnd } from './process-end.js';
import { prepareBus } from './prepare-bus.js';

export type HttpFallback = (request: IncomingMessage, response: ServerResponse) => void;

export interface ServiceOptions {
  /** The service's name in logs, traces and the process list, for example `function-registry`. */
  readonly name: 'gateway' | 'function-registry' | 'scheduler' | 'invoker' | 'trigger-bridge' | 'log';
  /** The app's root module; it imports BusModule and what else it needs. */
  readonly module: Type<unknown> | DynamicModule;
  readonly http: {
    readonly host: string;
    readonly port: number;
    /** A server in front of Nest's: it answers its own requests and gives the others to `fallback`. */
    readonly serverFactory?: (fallback: HttpFallback) => Server;
  };
  readonly logger: Logger;
  /** The service answers commands (`@MessagePattern` controllers). Only function-registry and log do. */
  readonly commands?: boolean;
  /** Once started, the service still does its main work while Kafka is away, so an outage of Kafka does not make it unready. */
  readonly readyWithoutKafka?: boolean;
  /** Runs when all modules are initialised, before the port is open. */
  readonly beforeReady?: (app: INestApplication) => Promise<void> | void;
}

/** How long a service may take to end. */
const DRAIN_MS = 10_000;

/**
 * Starts a service and keeps it until SIGTERM or SIGINT. In order: topics, modules (database migrated first), commands,
 * `beforeReady`, the port. It waits for parts that are not there yet, and says so. An error that nobody caught ends the process with 1.
 */
export async function runService(options: ServiceOptions): Promise<void> {
  const { name, logger, http } = options;
  process.title = `openscf-${name}`;
  const end = onEnd(logger);
  try {
    const telemetry = await startTelemetry(name);
    end.before(() => telemetry.stop());
    const app = await createApp(options);
    await prepareBus(app, options, end.signal);
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
