import type { LoggerService } from '@nestjs/common';
import type { Logger } from '@openscf/telemetry';

function contextOf(rest: unknown[]): { context?: string } {
  const last = rest.at(-1);
  return typeof last === 'string' && !last.includes('\n') ? { context: last } : {};
}

/** Nest's own messages through pino. Its chatter at start (every route and module) is `debug`. */
export class NestLogger implements LoggerService {
  constructor(private readonly logger: Logger) {}

  log(message: unknown, ...rest: unknown[]): void {
    this.logger.debug({ ...contextOf(rest), nest: message }, 'nest');
  }

  debug(message: unknown, ...rest: unknown[]): void {
    this.logger.debug({ ...contextOf(rest), nest: message }, 'nest');
  }

  verbose(message: unknown, ...rest: unknown[]): void {
    this.logger.debug({ ...contextOf(rest), nest: message }, 'nest');
  }

  warn(message: unknown, ...rest: unknown[]): void {
    this.logger.warn({ ...contextOf(rest), nest: message }, 'nest');
  }

  error(message: unknown, ...rest: unknown[]): void {
    const stack = rest.find((value) => typeof value === 'string' && value.includes('\n'));
    const fields = message instanceof Error ? { error: message } : { nest: message };
    this.logger.error({ ...contextOf(rest), ...fields, ...(stack !== undefined && { stack }) }, 'nest');
  }

  fatal(message: unknown, ...rest: unknown[]): void {
    this.error(message, ...rest);
  }
}
