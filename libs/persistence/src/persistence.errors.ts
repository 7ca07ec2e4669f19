import { UnavailableError } from '@openscf/contracts';

/** SQLSTATE classes and codes that say "not now": connection exceptions, too many connections, operator intervention. */
const UNAVAILABLE_STATES = /^(08|53|57P|58)/;
const LOST_CODES = new Set([
  'ECONNREFUSED',
  'ECONNRESET',
  'EPIPE',
  'ETIMEDOUT',
  'EHOSTUNREACH',
  'ENETUNREACH',
  'ENOTFOUND',
  'EAI_AGAIN',
]);
const LOST_MESSAGES =
  /Connection terminated|timeout exceeded when trying to connect|Client has encountered a connection error|Query read timeout|not queryable/;

function codeOf(error: Error): string {
  return 'code' in error && typeof error.code === 'string' ? error.code : '';
}

/** True when PostgreSQL is away, starting, stopping or full: the same statement may work later. */
export function isUnavailable(error: unknown): boolean {
  if (error instanceof UnavailableError) return true;
  if (error instanceof AggregateError) return error.errors.some(isUnavailable);
  if (!(error instanceof Error)) return false;
  const code = codeOf(error);
  return LOST_CODES.has(code) || UNAVAILABLE_STATES.test(code) || LOST_MESSAGES.test(error.message);
}

/** Turns an error that says "PostgreSQL is away" into UnavailableError and leaves every other error as it is. */
export function mapDatabaseError(error: unknown): unknown {
  if (error instanceof UnavailableError || !isUnavailable(error)) return error;
  const reason = error instanceof Error ? error.message : String(error);
  return new UnavailableError(`PostgreSQL is not available: ${reason}`, error);
}

/** True when the statement broke a unique constraint, of this name when one is given. */
export function isUniqueViolation(error: unknown, constraint?: string): boolean {
  if (!(error instanceof Error) || codeOf(error) !== '23505') return false;
  return constraint === undefined || ('constraint' in error && error.constraint === constraint);
}
