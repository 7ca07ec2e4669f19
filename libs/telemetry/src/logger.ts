import {
  pino,
  stdSerializers,
  stdTimeFunctions,
  type DestinationStream,
  type Logger as PinoLogger,
} from 'pino';
import { currentTraceId } from './tracing.js';

/** Structured logger: `logger.info({ requestId }, 'a fixed message')`. */
export type Logger = PinoLogger;
export type LogLevel = 'debug' | 'info' | 'warn' | 'error' | 'silent';

/** Fields that never leave the process, wherever they were put by mistake (one or two levels deep). */
const SECRET_FIELDS = [
  'secretKey',
  'secretAccessKey',
  'encryptedSecretKey',
  'password',
  'authorization',
  'Authorization',
  'environment',
  'masterKey',
  'token',
];
const REDACTED = SECRET_FIELDS.flatMap((field) => [field, `*.${field}`, `*.*.${field}`]);

/**
 * One JSON object per line on stdout: `time` (ISO), `level` (name), `service`, `msg`, the caller's fields, and `traceId`
 * inside a span. Pass a request id as the field `requestId`; `logger.child({ requestId })` keeps it.
 */
export function createLogger(
  service: string,
  level: LogLevel = 'info',
  destination?: DestinationStream,
): Logger {
  const options = {
    level,
    base: { service },
    timestamp: stdTimeFunctions.isoTime,
    formatters: { level: (label: string) => ({ level: label }) },
    redact: { paths: REDACTED, censor: '[secret]' },
    serializers: { error: stdSerializers.err, err: stdSerializers.err },
    mixin: () => {
      const traceId = currentTraceId();
      return traceId === undefined ? {} : { traceId };
    },
  };
  return destination ? pino(options, destination) : pino(options);
}

/** A logger that writes nothing, for tests. */
export function silentLogger(): Logger {
  return pino({ level: 'silent' });
}
