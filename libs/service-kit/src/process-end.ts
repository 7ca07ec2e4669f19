import type { Logger } from '@openscf/telemetry';

/** Every way out of the process, in one place. */
export interface ProcessEnd {
  /** Aborted as soon as the process is asked to end. */
  readonly signal: AbortSignal;
  /** What SIGTERM and SIGINT wait for; before it is set they end the process at once. */
  drainWith(drain: () => Promise<void>): void;
  /** Runs after the drain, before the exit. */
  before(last: () => Promise<void>): void;
  /** Logs the error and ends the process with 1, unless it is ending already. */
  fail(error: unknown, message: string): void;
}

/** A little more than the drain itself may take. */
const EXIT_AFTER_MS = 11_000;

/** Takes over SIGTERM, SIGINT and uncaught errors. */
export function onEnd(logger: Logger): ProcessEnd {
  const ending = new AbortController();
  let drain: () => Promise<void> = () => Promise.resolve();
  const lasts: (() => Promise<void>)[] = [];

  const exit = (code: number): void => {
    logger.flush();
    process.exit(code);
  };

  const end = async (signal: NodeJS.Signals): Promise<void> => {
    if (ending.signal.aborted) return;
    ending.abort();
    const startedAt = Date.now();
    logger.info({ signal }, 'service stops');
    setTimeout(() => {
      logger.warn('service did not stop in time');
      exit(1);
    }, EXIT_AFTER_MS).unref();
    try {
      await drain();
      await Promise.all(lasts.map((last) => last()));
      logger.info({ stopMs: Date.now() - startedAt }, 'service stopped');
      exit(0);
    } catch (error) {
      logger.error({ error }, 'service failed while it stopped');
      exit(1);
    }
  };

  const fail = (error: unknown, message: string): void => {
    if (ending.signal.aborted) return;
    ending.abort();
    logger.fatal({ error }, message);
    exit(1);
  };

  process.on('SIGTERM', (signal) => void end(signal));
  process.on('SIGINT', (signal) => void end(signal));
  process.on('uncaughtException', (error) => fail(error, 'uncaught exception'));
  process.on('unhandledRejection', (error) => fail(error, 'unhandled rejection'));

  return {
    signal: ending.signal,
    drainWith: (fn) => {
      drain = fn;
    },
    before: (fn) => {
      lasts.push(fn);
    },
    fail,
  };
}
