import { Server, type CustomTransportStrategy, BaseRpcContext } from '@nestjs/microservices';
import { commandReplySchema, PlatformError, type Command, type CommandReply } from '@openscf/contracts';
import { isObservable, lastValueFrom } from 'rxjs';
import type { Bus } from './bus.js';
import type { Subscription } from './bus.types.js';
import type { IncomingCommand } from './command-consumer.js';

export interface CommandServerOptions {
  readonly bus: Bus;
  readonly service: 'function-registry' | 'log';
  /** Commands handled at once; 32 unless told. */
  readonly concurrency?: number;
}

const CONCURRENCY = 32;

/**
 * Nest transport for commands: `app.connectMicroservice({ strategy: new KafkaCommandServer({ bus, service }) })`. A controller
 * method with `@MessagePattern('CreateFunction')` gets the `Command` as `@Payload()` and returns a `CommandReply`; a thrown
 * PlatformError becomes `{ ok: false, code, message }` (with `CommandErrorFilter`, which lets it through). An expired command is
 * dropped. A command may come twice after a crash of the service.
 */
export class KafkaCommandServer extends Server implements CustomTransportStrategy {
  private subscription: Subscription | undefined;

  constructor(private readonly options: CommandServerOptions) {
    super();
  }

  listen(callback: (error?: unknown) => void): void {
    const { bus, service, concurrency = CONCURRENCY } = this.options;
    this.subscription = bus.serveCommands({
      service,
      concurrency,
      handle: (incoming) => this.answer(incoming),
    });
    callback();
  }

  async close(): Promise<void> {
    await this.subscription?.stop();
  }

  on(): void {
    // Nothing to subscribe to.
  }

  unwrap<T>(): T {
    throw new TypeError('KafkaCommandServer has no client of its own; use Bus');
  }

  private async answer({ action, command }: IncomingCommand): Promise<CommandReply> {
    const handler = this.getHandlerByPattern(action);
    if (!handler) return { ok: false, code: 'InvalidAction', message: `No such action: ${action}` };
    try {
      return commandReplySchema.parse(await this.call(handler, command));
    } catch (error) {
      if (error instanceof PlatformError) return { ok: false, code: error.code, message: error.message };
      this.options.bus.logger.error({ action, requestId: command.requestId, error }, 'command failed');
      return { ok: false, code: 'InternalError', message: 'An internal error has occurred.' };
    }
  }

  private async call(
    handler: (command: Command, context: BaseRpcContext) => unknown,
    command: Command,
  ): Promise<unknown> {
    const result = await handler(command, new BaseRpcContext([]));
    return isObservable(result) ? lastValueFrom(result) : result;
  }
}
