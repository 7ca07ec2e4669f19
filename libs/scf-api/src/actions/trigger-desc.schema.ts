import { z } from 'zod';
import { errorCodes } from '../error-codes.js';
import { ckafkaTrigger } from '../limits.js';
import { defaulted, integer, oneOf, required, text } from '../shapes/rule.js';
import { httpDescSchema, type HttpDesc } from './http-desc.schema.js';
import { parseShape } from './parse-request.js';
import { CallerError } from '@openscf/contracts';

/** What TriggerDesc holds, by type of trigger (scf-api section 4, "TriggerDesc per type"). */

const OFFSET = /^(latest|earliest|\d{1,16})$/;

function within(range: { min: number; max: number }, unit: string) {
  return integer({
    accepts: `a whole number ${unit}from ${range.min} to ${range.max}`,
    code: errorCodes.badCkafka,
    test: (value) => value >= range.min && value <= range.max,
  });
}

export const ckafkaDescSchema = z.object({
  maxMsgNum: defaulted(within(ckafkaTrigger.maxMsgNum, ''), ckafkaTrigger.maxMsgNum.default),
  offset: defaulted(
    {
      accepts: 'latest, earliest, or milliseconds since the epoch as text',
      code: errorCodes.badCkafka,
      read: (value) => {
        const offset = typeof value === 'number' ? String(value) : value;
        if (offset === '') return 'latest';
        return typeof offset === 'string' && OFFSET.test(offset) ? offset : undefined;
      },
    },
    'latest',
  ),
  retry: defaulted(within(ckafkaTrigger.retry, ''), ckafkaTrigger.retry.default),
  timeOut: defaulted(
    within(ckafkaTrigger.timeOutSeconds, 'of seconds '),
    ckafkaTrigger.timeOutSeconds.default,
  ),
  consumerGroupName: defaulted(
    text({
      accepts: 'at most 128 letters, digits, dots, _ and -',
      code: errorCodes.badCkafka,
      test: (value) => /^[\w.-]{0,128}$/.test(value),
    }),
    '',
  ),
});
export type CkafkaDesc = z.infer<typeof ckafkaDescSchema>;

/** The events of SCF that MinIO can notify; `cos:ObjectRestore:*` has no counterpart. */
export const COS_EVENTS = [
  'cos:ObjectCreated:*',
  'cos:ObjectCreated:Put',
  'cos:ObjectCreated:Post',
  'cos:ObjectCreated:Copy',
  'cos:ObjectCreated:CompleteMultipartUpload',
  'cos:ObjectRemove:*',
  'cos:ObjectRemove:Delete',
  'cos:ObjectRemove:DeleteMarkerCreated',
] as const;

const filterText = defaulted(
  text({
    accepts: 'a text of at most 1024 bytes',
    code: errorCodes.badCos,
    test: (value) => Buffer.byteLength(value) <= 1024,
  }),
  '',
);

export const cosDescSchema = z.object({
  event: required({ ...oneOf(COS_EVENTS, errorCodes.badCos), missing: errorCodes.badTriggerDesc }),
  filter: z
    .object({ Prefix: filterText, Suffix: filterText }, { error: 'must be {"Prefix": …, "Suffix": …}' })
    .nullish()
    .transform((filter) => filter ?? { Prefix: '', Suffix: '' }),
});
export type CosDesc = z.infer<typeof cosDescSchema>;

function parseJsonDesc(type: string, desc: string): unknown {
  try {
    return JSON.parse(desc === '' ? '{}' : desc);
  } catch {
    const message = `TriggerDesc ${JSON.stringify(desc.slice(0, 80))} is not accepted: for a ${type} trigger it must be JSON text`;
    throw new CallerError(errorCodes.badTriggerDesc, message);
  }
}

/** A description as JSON, and what it says instead of what was said before; nested objects are taken apart, lists are not. */
export function mergeTriggerDesc(type: string, before: string, change: string): string {
  if (change.trim() === '') return before;
  const merged = merge(parseJsonDesc(type, before), parseJsonDesc(type, change));
  return JSON.stringify(merged);
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function merge(before: unknown, change: unknown): unknown {
  if (!isObject(before) || !isObject(change)) return change;
  const merged: Record<string, unknown> = { ...before };
  for (const [name, value] of Object.entries(change)) merged[name] = merge(before[name], value);
  return merged;
}

/** A function URL. Throws a CallerError that names the wrong field as `TriggerDesc.<field>`. */
export function parseHttpDesc(desc: string): HttpDesc {
  return parseShape(httpDescSchema, parseJsonDesc('http', desc), errorCodes.badTriggerDesc, 'TriggerDesc');
}

/** Throws a CallerError that names the wrong field as `TriggerDesc.<field>`. */
export function parseCkafkaDesc(desc: string): CkafkaDesc {
  return parseShape(
    ckafkaDescSchema,
    parseJsonDesc('ckafka', desc),
    errorCodes.badTriggerDesc,
    'TriggerDesc',
  );
}

export function parseCosDesc(desc: string): CosDesc {
  return parseShape(cosDescSchema, parseJsonDesc('cos', desc), errorCodes.badTriggerDesc, 'TriggerDesc');
}

/** A timer's TriggerDesc is the cron text itself; tools that read it back send `{"cron": …}`. Whether it is a cron is checked by who runs it. */
export function parseTimerDesc(desc: string): { cron: string } {
  const given = desc.trimStart().startsWith('{') ? parseJsonDesc('timer', desc) : { cron: desc };
  const shape = z.object({
    cron: required(text({ accepts: 'a cron expression of 7 or 5 fields', code: errorCodes.badCron })),
  });
  const { cron } = parseShape(shape, given, errorCodes.badTriggerDesc, 'TriggerDesc');
  const fields = cron.trim().split(/\s+/);
  if (fields.length === 7) return { cron: fields.join(' ') };
  if (fields.length === 5) return { cron: `0 ${fields.join(' ')} *` };
  const message = `TriggerDesc ${JSON.stringify(cron.slice(0, 80))} is not accepted: it must be a cron expression of 7 fields (second minute hour day month week year) or 5`;
  throw new CallerError(errorCodes.badCron, message);
}
