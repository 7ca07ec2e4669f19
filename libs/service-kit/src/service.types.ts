import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import type { DynamicModule, INestApplication, Type } from '@nestjs/common';
import type { Logger } from '@openscf/telemetry';

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
