import { LATEST } from '@openscf/contracts';
import { z } from 'zod';
import { errorCodes } from '../error-codes.js';
import { nameLength, TIMER_MESSAGE_BYTES } from '../limits.js';
import { descriptionRule } from '../shapes/function-fields.schema.js';
import { functionNameField, namespaceField, qualifierField } from '../shapes/identity-fields.schema.js';
import { filtersField, limitField, offsetField, orderField } from '../shapes/list-fields.schema.js';
import { defaulted, oneOf, optional, required, text } from '../shapes/rule.js';

/** CreateTrigger, ListTriggers, UpdateTrigger, UpdateTriggerStatus, DeleteTrigger. What TriggerDesc holds is in trigger-desc.schema.ts. */

const TRIGGER_NAME = /^[A-Za-z0-9][\w.-]*$/;

const triggerNameRule = text({
  accepts: `${nameLength.trigger.min} to ${nameLength.trigger.max} characters: letters, digits, _, - and dots, a letter or a digit first`,
  code: errorCodes.badTriggerName,
  test: (value) => value.length <= nameLength.trigger.max && TRIGGER_NAME.test(value),
});

const identity = {
  FunctionName: functionNameField,
  TriggerName: required(triggerNameRule),
  Type: required(oneOf(['timer', 'ckafka', 'cos', 'http'], errorCodes.badType)),
  Namespace: namespaceField,
  Qualifier: qualifierField(LATEST),
};

const enableRule = oneOf(['OPEN', 'CLOSE'], errorCodes.badEnable);
const triggerDesc = defaulted(text({ accepts: 'a text', code: errorCodes.badTriggerDesc }), '');

const customArgument = text({
  accepts: `a text of at most ${TIMER_MESSAGE_BYTES} bytes`,
  code: errorCodes.badCustomArgument,
  test: (value) => Buffer.byteLength(value) <= TIMER_MESSAGE_BYTES,
});

export const createTriggerRequest = z.object({
  ...identity,
  TriggerDesc: triggerDesc,
  Enable: defaulted(oneOf(['OPEN', 'CLOSE'], errorCodes.badEnable, 'OPEN'), 'OPEN'),
  CustomArgument: defaulted(customArgument, ''),
  Description: defaulted(descriptionRule, ''),
});

export const listTriggersRequest = z.object({
  FunctionName: functionNameField,
  Namespace: namespaceField,
  Offset: offsetField,
  Limit: limitField(),
  OrderBy: defaulted(oneOf(['add_time', 'mod_time'], errorCodes.badOrderBy, 'mod_time'), 'mod_time'),
  Order: orderField('DESC'),
  Filters: filtersField,
});

export const updateTriggerStatusRequest = z.object({
  ...identity,
  Enable: required(enableRule),
  TriggerDesc: triggerDesc,
});

/** What is absent stays as it is. */
export const updateTriggerRequest = z.object({
  ...identity,
  Type: required({
    ...oneOf(['timer', 'ckafka', 'http'], errorCodes.badType),
    accepts: 'one of timer, ckafka, http (a cos trigger is deleted and made again)',
  }),
  Enable: optional(oneOf(['OPEN', 'CLOSE'], errorCodes.badEnable)),
  TriggerDesc: triggerDesc,
  CustomArgument: optional(customArgument),
  Description: optional(descriptionRule),
});

export const deleteTriggerRequest = z.object({ ...identity, TriggerDesc: triggerDesc });

export const triggerInfoSchema = z.object({
  Type: z.string(),
  TriggerName: z.string(),
  TriggerDesc: z.string(),
  /** 1 or 0, though a request says OPEN or CLOSE. */
  Enable: z.number().int(),
  AvailableStatus: z.string(),
  Qualifier: z.string(),
  AddTime: z.string(),
  ModTime: z.string(),
  CustomArgument: z.string(),
  Description: z.string(),
  BindStatus: z.string(),
  TriggerAttribute: z.string(),
  ResourceId: z.string(),
});
export type TriggerInfo = z.infer<typeof triggerInfoSchema>;

export const createTriggerResponse = z.object({ TriggerInfo: triggerInfoSchema });

export const listTriggersResponse = z.object({
  TotalCount: z.number().int(),
  Triggers: z.array(triggerInfoSchema.extend({ BoundResources: z.string() })),
});
