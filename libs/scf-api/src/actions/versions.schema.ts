import { functionStatusSchema } from '@openscf/contracts';
import { z } from 'zod';
import { errorCodes } from '../error-codes.js';
import { descriptionRule } from '../shapes/function-fields.schema.js';
import { functionNameField, namespaceField } from '../shapes/identity-fields.schema.js';
import { limitField, offsetField, orderField } from '../shapes/list-fields.schema.js';
import { defaulted, oneOf, required, text } from '../shapes/rule.js';

/** PublishVersion, ListVersionByFunction, DeleteFunctionVersion. */

export const publishVersionRequest = z.object({
  FunctionName: functionNameField,
  Namespace: namespaceField,
  Description: defaulted(descriptionRule, ''),
});

export const publishVersionResponse = z.object({
  FunctionVersion: z.string(),
  CodeSize: z.number().int(),
  MemorySize: z.number().int(),
  Description: z.string(),
  Handler: z.string(),
  Timeout: z.number().int(),
  Runtime: z.string(),
  Namespace: z.string(),
});

export const listVersionByFunctionRequest = z.object({
  FunctionName: functionNameField,
  Namespace: namespaceField,
  Offset: offsetField,
  Limit: limitField(),
  Order: orderField('DESC'),
  OrderBy: defaulted(oneOf(['AddTime', 'ModTime'], errorCodes.badOrderBy, 'AddTime'), 'AddTime'),
});

export const listVersionByFunctionResponse = z.object({
  FunctionVersion: z.array(z.string()),
  Versions: z.array(
    z.object({
      Version: z.string(),
      Description: z.string(),
      AddTime: z.string(),
      ModTime: z.string(),
      Status: functionStatusSchema,
    }),
  ),
  TotalCount: z.number().int(),
});

const publishedVersionRule = text({
  accepts: 'the number of a published version',
  code: errorCodes.badQualifier,
  test: (value) => /^[1-9]\d{0,8}$/.test(value),
});
/** A published version; neither $LATEST nor an alias. */
export const publishedVersionField = required(publishedVersionRule);

export const deleteFunctionVersionRequest = z.object({
  FunctionName: functionNameField,
  Namespace: namespaceField,
  Qualifier: publishedVersionField,
  /** Take away what is bound to the version too: triggers and provisioned concurrency. */
  ForceDelete: defaulted(
    {
      accepts: 'true or false',
      code: errorCodes.badValue,
      read: (value): boolean | undefined => {
        const word = typeof value === 'string' ? value.toLowerCase() : value;
        if (word === true || word === 'true') return true;
        return word === false || word === 'false' || word === '' ? false : undefined;
      },
    },
    false,
  ),
});
