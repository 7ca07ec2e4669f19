import { z } from 'zod';
import { errorCodes } from '../error-codes.js';
import { integer, optional, oneOf, refuse, required } from '../shapes/rule.js';

/** TriggerDesc of an http trigger: a function URL. It reads its own output as it is. */

const flag = (value: unknown): boolean | undefined => {
  if (value === true || value === 'TRUE' || value === 'true') return true;
  return value === false || value === 'FALSE' || value === 'false' || value === '' ? false : undefined;
};
const flagField = (fallback: boolean, code: string) =>
  optional({ accepts: 'true or false', code, read: flag }).transform((value) => value ?? fallback);

const TOKEN = /^[!#$%&'*+.^_`|~0-9A-Za-z-]{1,128}$/;
const isOrigin = (value: string) =>
  value === '*' || (/^https?:\/\/[^/\s,]{1,255}$/.test(value) && URL.canParse(value));
const isToken = (value: string) => TOKEN.test(value);

/** Ours: far more than a page needs, little enough for a header. */
const LIST_LENGTH = 50;

function corsList(accepts: string, test: (value: string) => boolean) {
  return z
    .array(
      required({
        accepts,
        code: errorCodes.badCors,
        read: (value) => (typeof value === 'string' && test(value) ? value : undefined),
      }),
      { error: 'must be a list of texts' },
    )
    .max(LIST_LENGTH, `must have at most ${LIST_LENGTH} entries`)
    .nullish()
    .transform((value) => value ?? []);
}

const corsSchema = z
  .object(
    {
      Enable: flagField(false, errorCodes.badCors),
      Origins: corsList('* or an origin, for example https://example.com', isOrigin),
      Methods: corsList('* or the name of an HTTP method', isToken),
      Headers: corsList('* or the name of a header', isToken),
      ExposeHeaders: corsList('* or the name of a header', isToken),
      MaxAge: optional(
        integer({
          accepts: 'a whole number of seconds from 0 to 86400',
          code: errorCodes.badCors,
          test: (value) => value >= 0 && value <= 86_400,
        }),
      ).transform((value) => value ?? 0),
      Credentials: flagField(false, errorCodes.badCors),
    },
    { error: 'must be an object' },
  )
  .superRefine(({ Enable, Origins }, context) => {
    if (Enable && Origins.length === 0) {
      refuse(
        context,
        errorCodes.badCors,
        'Origins',
        'is empty: it must name an origin, or *, when Enable is true',
      );
    }
  });

const netSchema = z
  .object(
    {
      EnableIntranet: flagField(false, errorCodes.badTriggerDesc),
      EnableExtranet: flagField(false, errorCodes.badTriggerDesc),
    },
    { error: 'must be {"EnableIntranet": …, "EnableExtranet": …}' },
  )
  .superRefine(({ EnableIntranet, EnableExtranet }, context) => {
    if (EnableIntranet || EnableExtranet) return;
    refuse(
      context,
      errorCodes.badTriggerDesc,
      'EnableExtranet',
      'and EnableIntranet are false: one of them must be true',
    );
  });

export const httpDescSchema = z.object(
  {
    AuthType: required({
      ...oneOf(['NONE', 'CAM'], errorCodes.badTriggerDesc),
      missing: errorCodes.badTriggerDesc,
    }),
    NetConfig: netSchema
      .nullish()
      .transform((value) => value ?? { EnableIntranet: false, EnableExtranet: true }),
    CorsConfig: corsSchema.nullish().transform((value) => value ?? undefined),
  },
  { error: 'must be a JSON object' },
);
export type HttpDesc = z.output<typeof httpDescSchema>;
