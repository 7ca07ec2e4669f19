import { CallerError } from '@openscf/contracts';
import { errorCodes } from '../error-codes.js';
import { CLOCK_SKEW_SECONDS } from '../limits.js';

/** The parts of a TC3 Authorization header and the time that it was made at. */
export interface Authorization {
  secretId: string;
  /** `YYYY-MM-DD`, the UTC day of `timestamp`. */
  date: string;
  /** Whatever the client put there: the SDKs derive it from the endpoint, see scf-api section 3. */
  service: string;
  /** Lower-case names, joined by `;` as sent. */
  signedHeaders: string;
  /** 64 hex digits. */
  signature: string;
  /** Seconds since the epoch, as sent in X-TC-Timestamp. */
  timestamp: string;
}

/** Header names in lower case, as node:http gives them. */
export type RequestHeaders = Record<string, string | string[] | undefined>;

const PATTERN =
  /^TC3-HMAC-SHA256 +Credential=([^/\s,]{1,128})\/(\d{4}-\d\d-\d\d)\/([^/\s,]{1,256})\/tc3_request, *SignedHeaders=([a-z0-9;-]{1,1024}), *Signature=([0-9a-f]{64})$/;
const TIMESTAMP = /^\d{1,12}$/;

const FORM =
  'TC3-HMAC-SHA256 Credential=<SecretId>/<YYYY-MM-DD>/<service>/tc3_request, SignedHeaders=content-type;host, Signature=<64 hex digits>';

function malformed(message: string): CallerError {
  return new CallerError(errorCodes.authorizationInvalid, message);
}

const DAY_SECONDS = 86_400;
let lastDay = { number: -1, text: '' };

/** Nearly every request is of the same day as the one before. */
function utcDay(seconds: number): string {
  const number = Math.floor(seconds / DAY_SECONDS);
  if (lastDay.number !== number)
    lastDay = { number, text: new Date(seconds * 1000).toISOString().slice(0, 10) };
  return lastDay.text;
}

function readTimestamp(headers: RequestHeaders): string {
  const timestamp = headers['x-tc-timestamp'];
  if (timestamp === undefined)
    throw new CallerError(errorCodes.missing, 'The header X-TC-Timestamp is missing.');
  if (typeof timestamp === 'string' && TIMESTAMP.test(timestamp)) return timestamp;
  throw malformed(
    'The header X-TC-Timestamp is not accepted: it must be the time in seconds since the epoch.',
  );
}

/**
 * Reads who claims to have signed, and refuses what no key could make right: a malformed header, or a clock that is off by more
 * than 300 s. Needs no body and no key, so it comes first. Throws a CallerError AuthFailure.*.
 */
export function readAuthorization(headers: RequestHeaders, nowMs: number): Authorization {
  const header = headers['authorization'];
  if (typeof header !== 'string') throw malformed(`The header Authorization is missing: it must be ${FORM}.`);
  const match = PATTERN.exec(header);
  if (match === null) throw malformed(`The header Authorization is not accepted: it must be ${FORM}.`);
  const [, secretId = '', date = '', service = '', signedHeaders = '', signature = ''] = match;
  const signed = signedHeaders.split(';');
  // Only a function's URL is asked without a content type.
  const hasType = headers['content-type'] !== undefined;
  if (!signed.includes('host') || (hasType && !signed.includes('content-type'))) {
    throw malformed(
      `SignedHeaders ${JSON.stringify(signedHeaders)} is not accepted: content-type and host must be signed.`,
    );
  }
  const timestamp = readTimestamp(headers);
  const seconds = Number(timestamp);
  const offSeconds = Math.round(nowMs / 1000) - seconds;
  if (Math.abs(offSeconds) > CLOCK_SKEW_SECONDS) {
    const direction = offSeconds > 0 ? 'behind' : 'ahead of';
    const message = `X-TC-Timestamp ${timestamp} is ${Math.abs(offSeconds)} s ${direction} the platform's clock: it must be within ${CLOCK_SKEW_SECONDS} s.`;
    throw new CallerError(errorCodes.signatureExpired, message);
  }
  if (utcDay(seconds) !== date) {
    throw malformed(
      `The date ${date} in Credential is not the UTC day of X-TC-Timestamp: it must be ${utcDay(seconds)}.`,
    );
  }
  return { secretId, date, service, signedHeaders, signature, timestamp };
}
