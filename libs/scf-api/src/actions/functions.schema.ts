import { LATEST } from '@openscf/contracts';
import { z } from 'zod';
import { errorCodes } from '../error-codes.js';
import { initTimeoutSeconds, memoryMb, timeoutSeconds } from '../limits.js';
import {
  descriptionRule,
  environmentSchema,
  handlerRule,
  initTimeoutRule,
  memoryRule,
  publicNetSchema,
  runtimeRule,
  timeoutRule,
} from '../shapes/function-fields.schema.js';
import { functionNameField, namespaceField, qualifierField } from '../shapes/identity-fields.schema.js';
import { filtersField, limitField, offsetField, orderField } from '../shapes/list-fields.schema.js';
import { defaulted, oneOf, optional, required, text } from '../shapes/rule.js';
import { checkCodeOfUpdate, codeOfUpdate, codeSchema } from './code.schema.js';
import { unsupportedOnCreate, unsupportedPublish, unsupportedSettings } from './unsupported.js';

/** Requests of the actions on functions, in the order of a function's life. */

const eventType = {
  ...oneOf(['Event'], errorCodes.badType, 'Event'),
  accepts: 'Event (web functions are not supported by this version)',
};
const roleRule = text({ accepts: 'the name of a role', code: 'InvalidParameterValue' });

export const createFunctionRequest = z.object({
  FunctionName: functionNameField,
  Namespace: namespaceField,
  Type: defaulted(eventType, 'Event'),
  Runtime: required(runtimeRule),
  Handler: required(handlerRule),
  Code: z.preprocess((value) => value ?? {}, codeSchema),
  Description: defaulted(descriptionRule, ''),
  MemorySize: defaulted(memoryRule, memoryMb.default),
  Timeout: defaulted(timeoutRule, timeoutSeconds.default),
  InitTimeout: defaulted(initTimeoutRule, initTimeoutSeconds.default),
  Environment: environmentSchema,
  Role: defaulted(roleRule, ''),
  PublicNetConfig: publicNetSchema,
  ...unsupportedOnCreate,
});

export const getFunctionRequest = z.object({
  FunctionName: functionNameField,
  Namespace: namespaceField,
  Qualifier: qualifierField(LATEST),
  ShowCode: defaulted(oneOf(['TRUE', 'FALSE'], 'InvalidParameterValue', 'FALSE'), 'FALSE'),
});

export const listFunctionsRequest = z.object({
  Namespace: namespaceField,
  Order: orderField('DESC'),
  Orderby: defaulted(
    oneOf(['AddTime', 'ModTime', 'FunctionName'], errorCodes.badOrderBy, 'AddTime'),
    'AddTime',
  ),
  Offset: offsetField,
  Limit: limitField(),
  SearchKey: defaulted(text({ accepts: 'a text', code: errorCodes.badSearchKey }), ''),
  Description: defaulted(text({ accepts: 'a text', code: errorCodes.badDescription }), ''),
  Filters: filtersField,
});

export const updateFunctionCodeRequest = z
  .object({
    FunctionName: functionNameField,
    Namespace: namespaceField,
    Handler: optional(handlerRule),
    Publish: unsupportedPublish,
    InstallDependency: unsupportedSettings.InstallDependency,
    ...codeOfUpdate,
  })
  .superRefine(checkCodeOfUpdate);

/** What is absent stays as it is. `Runtime` is taken and ignored, as SCF does: it cannot be changed. */
export const updateFunctionConfigurationRequest = z.object({
  FunctionName: functionNameField,
  Namespace: namespaceField,
  Description: optional(descriptionRule),
  MemorySize: optional(memoryRule),
  Timeout: optional(timeoutRule),
  InitTimeout: optional(initTimeoutRule),
  Environment: environmentSchema,
  Role: optional(roleRule),
  PublicNetConfig: publicNetSchema,
  Publish: unsupportedPublish,
  ...unsupportedSettings,
});

/** Without a qualifier the whole function goes. */
export const deleteFunctionRequest = z.object({
  FunctionName: functionNameField,
  Namespace: namespaceField,
  Qualifier: qualifierField(''),
});

export const getFunctionAddressRequest = z.object({
  FunctionName: functionNameField,
  Namespace: namespaceField,
  Qualifier: qualifierField(LATEST),
});
