import { PlatformError } from '@openscf/contracts';
import { errorCodes } from '@openscf/scf-api';
import { UrlError } from './url.errors.js';

/**
 * SCF's status code of a request that got no response → HTTP status of the answer. The header X-Scf-Status keeps SCF's.
 * 4xx tell the client to change or to wait, 502 and 504 that the function failed, 500 and 503 that the platform did.
 */
const HTTP_STATUS: Readonly<Record<number, number>> = {
  403: 403,
  406: 413,
  429: 429,
  432: 429,
  433: 504,
  435: 404,
  438: 503,
  442: 404,
  449: 503,
  499: 499,
  500: 500,
};
/** Codes of the function's own doing: it threw, exited, used too much memory, answered too much, could not be started. */
const FUNCTION_FAILED = 502;

export function httpStatusOf(scfStatus: number): number {
  return HTTP_STATUS[scfStatus] ?? FUNCTION_FAILED;
}

/** Error of the way to the function → HTTP status. */
const CODE_STATUS: Readonly<Record<string, number>> = {
  [errorCodes.noFunction]: 404,
  [errorCodes.noVersion]: 404,
  [errorCodes.noQualifier]: 404,
  [errorCodes.functionStatus]: 503,
  [errorCodes.authorizationInvalid]: 401,
  [errorCodes.missing]: 401,
  [errorCodes.signatureExpired]: 401,
  [errorCodes.secretIdNotFound]: 403,
  [errorCodes.signatureWrong]: 403,
  [errorCodes.keyDisabled]: 403,
  [errorCodes.requestTooLarge]: 413,
};

export function httpStatusOfError(error: PlatformError): number {
  if (error instanceof UrlError) return error.httpStatus;
  return CODE_STATUS[error.code] ?? (error.fault === 'caller' ? 400 : 503);
}
