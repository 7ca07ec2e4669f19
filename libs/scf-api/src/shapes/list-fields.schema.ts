import { z } from 'zod';
import { errorCodes } from '../error-codes.js';
import { listRows } from '../limits.js';
import { defaulted, integer, optional, required, text } from './rule.js';

/** Fields of the actions that list. */

export const offsetField = defaulted(
  integer({ accepts: 'a whole number from 0', code: errorCodes.badOffset, test: (value) => value >= 0 }),
  0,
);

export function limitField(most: number = listRows.max) {
  const rule = integer({
    accepts: `a whole number from 0 to ${most}`,
    code: errorCodes.badLimit,
    test: (value) => value >= 0 && value <= most,
  });
  return defaulted(rule, listRows.default);
}

/** ASC or DESC in any case: the SDKs' comments show both. */
export function orderField(fallback: 'ASC' | 'DESC') {
  return optional({
    accepts: 'ASC or DESC',
    code: errorCodes.badOrder,
    read: (value): 'ASC' | 'DESC' | undefined => {
      if (value === '') return fallback;
      const upper = typeof value === 'string' ? value.toUpperCase() : '';
      return upper === 'ASC' || upper === 'DESC' ? upper : undefined;
    },
  }).transform((value) => value ?? fallback);
}

export const filtersField = z
  .array(
    z.object({
      Name: required(text({ accepts: 'the name of a filter', code: errorCodes.badFilters })),
      Values: z.array(z.string(), { error: 'must be a list of texts' }),
    }),
    { error: 'must be a list of {Name, Values}' },
  )
  .nullish()
  .transform((value) => value ?? []);

const DATE_TIME = /^(\d{4})-(\d\d)-(\d\d)[ T](\d\d):(\d\d):(\d\d)(\.\d{1,3})?$/;

/** `YYYY-MM-DD HH:MM:SS` in UTC, as milliseconds since the epoch. Undefined when it is no such time. */
export function parseDateTime(value: string): number | undefined {
  if (!DATE_TIME.test(value)) return undefined;
  const ms = Date.parse(`${value.replace(' ', 'T')}Z`);
  return Number.isNaN(ms) ? undefined : ms;
}

/** Milliseconds since the epoch as `YYYY-MM-DD HH:MM:SS` in UTC, the way every time of the API is written. */
export function formatDateTime(ms: number): string {
  return new Date(ms).toISOString().slice(0, 19).replace('T', ' ');
}

/**
 * A time of the API, read as milliseconds since the epoch, which it takes too: the owner of an action reads a request that the gateway
 * has read before. An empty text counts as absent.
 */
export const dateTimeField = z.preprocess(
  (value) => (value === '' ? undefined : value),
  optional({
    accepts: 'a time as YYYY-MM-DD HH:MM:SS, in UTC',
    code: errorCodes.badDateTime,
    read: (value) => {
      if (typeof value === 'number' && Number.isSafeInteger(value)) return value;
      return typeof value === 'string' ? parseDateTime(value) : undefined;
    },
  }),
);
