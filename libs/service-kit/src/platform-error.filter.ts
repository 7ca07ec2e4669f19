import { Catch, HttpException, type ArgumentsHost, type ExceptionFilter } from '@nestjs/common';
import { PlatformError, type Fault } from '@openscf/contracts';
import type { Logger } from '@openscf/telemetry';
import type { FastifyReply } from 'fastify';

const STATUS: Record<Fault, number> = { caller: 400, function: 502, platform: 503 };

/** The last catch of a service's own HTTP routes: our errors keep code and message, anything else is told to nobody but the log. */
@Catch()
export class PlatformErrorFilter implements ExceptionFilter {
  constructor(private readonly logger: Logger) {}

  catch(error: unknown, host: ArgumentsHost): unknown {
    // Commands have their own mapping, in the transport.
    if (host.getType() !== 'http') throw error;
    const reply = host.switchToHttp().getResponse<FastifyReply>();
    if (error instanceof PlatformError) {
      return reply.status(STATUS[error.fault]).send({ code: error.code, message: error.message });
    }
    if (error instanceof HttpException) return reply.status(error.getStatus()).send(error.getResponse());
    this.logger.error({ error }, 'request failed');
    return reply.status(500).send({ code: 'InternalError', message: 'Internal error' });
  }
}
