import { LATEST } from '@openscf/contracts';
import { z } from 'zod';
import { errorCodes } from '../error-codes.js';
import { IMAGE_INIT_TIMEOUT_SECONDS, initTimeoutSeconds, memoryMb, timeoutSeconds } from '../limits.js';
import { handlerFault, handlerRuleOf, IMAGE_RUNTIME } from '../runtimes.js';
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
import {
  cfsSchema,
  instanceConcurrencySchema,
  layersSchema,
  protocolParamsSchema,
  protocolTypeRule,
} from '../shapes/instance-fields.schema.js';
import { defaulted, oneOf, optional, refuse, text } from '../shapes/rule.js';
import { checkCodeOfUpdate, codeOfUpdate, codeSchema } from './code.schema.js';
import { unsupportedOnCreate, unsupportedSettings } from './unsupported.js';

/** Requests of the actions on functions, in the order of a function's life. */

type Context = Parameters<typeof refuse>[0];

const roleRule = text({ accepts: 'the name of a role', code: 'InvalidParameterValue' });
const trueOrFalse = {
  accepts: 'TRUE or FALSE',
  code: errorCodes.badValue,
  read: (value: unknown): 'TRUE' | 'FALSE' | undefined => {
    if (value === true || value === 'TRUE' || value === 'true') return 'TRUE';
    return value === false || value === 'FALSE' || value === 'false' || value === '' ? 'FALSE' : undefined;
  },
};
/** Publish a version of what the update has made. */
const publishField = defaulted(trueOrFalse, 'FALSE');

const createFields = z.object({
  FunctionName: functionNameField,
  Namespace: namespaceField,
  Type: defaulted(oneOf(['Event', 'HTTP'], errorCodes.badType, 'Event'), 'Event'),
  Runtime: optional({ ...runtimeRule, read: (value) => (value === '' ? '' : runtimeRule.read(value)) }),
  Handler: optional(handlerRule),
  Code: z.preprocess((value) => value ?? {}, codeSchema),
  Description: defaulted(descriptionRule, ''),
  MemorySize: defaulted(memoryRule, memoryMb.default),
  Timeout: defaulted(timeoutRule, timeoutSeconds.default),
  InitTimeout: optional(initTimeoutRule),
  Environment: environmentSchema,
  Role: defaulted(roleRule, ''),
  PublicNetConfig: publicNetSchema,
  Layers: layersSchema,
  CfsConfig: cfsSchema,
  InstanceConcurrencyConfig: instanceConcurrencySchema,
  ProtocolType: defaulted(protocolTypeRule, ''),
  ProtocolParams: protocolParamsSchema,
  ...unsupportedOnCreate,
});
type CreateFields = z.output<typeof createFields>;

/** The runtime of a function that is made, when it is said; an image has one of its own. */
function runtimeOf({ Runtime, Code }: CreateFields): string | undefined {
  return Code.ImageConfig ? IMAGE_RUNTIME : Runtime || undefined;
}

function checkRuntimeAndHandler(request: CreateFields, context: Context): void {
  const { Runtime, Type, Handler, Code } = request;
  if (Code.ImageConfig && Runtime && Runtime !== IMAGE_RUNTIME) {
    const message = `"${Runtime}" is not accepted: the runtime of an image is ${IMAGE_RUNTIME}, leave it out`;
    refuse(context, errorCodes.badRuntime, 'Runtime', message);
  }
  if (!Code.ImageConfig && Runtime === IMAGE_RUNTIME) {
    refuse(context, errorCodes.badRuntime, 'Runtime', `"${IMAGE_RUNTIME}" needs Code.ImageConfig`);
  }
  const runtime = runtimeOf(request);
  if (runtime === undefined) {
    refuse(context, errorCodes.missingRuntime, 'Runtime', 'is missing');
    return;
  }
  if (!Handler) {
    if (handlerRuleOf(runtime, Type)) refuse(context, errorCodes.missing, 'Handler', 'is missing');
    return;
  }
  const fault = handlerFault(runtime, Type, Handler);
  if (fault !== undefined) refuse(context, errorCodes.badHandler, 'Handler', fault);
}

/** What only web functions have. */
function checkWebOnly(request: CreateFields, context: Context): void {
  const { Type, ProtocolType, ProtocolParams, InstanceConcurrencyConfig, Code } = request;
  if (Type === 'HTTP' && Code.ImageConfig?.ImagePort === -1) {
    refuse(
      context,
      errorCodes.badImagePort,
      'Code.ImageConfig.ImagePort',
      '-1 (a job) is not accepted with Type HTTP: it must be 9000',
    );
  }
  if (ProtocolParams?.WSParams && ProtocolType !== 'WS') {
    refuse(
      context,
      errorCodes.badWebSocketParams,
      'ProtocolParams.WSParams',
      'is only accepted with ProtocolType WS',
    );
  }
  if (Type === 'HTTP') return;
  const webOnly = 'is only accepted for web functions (Type HTTP)';
  if (ProtocolType === 'WS') refuse(context, errorCodes.badProtocolType, 'ProtocolType', `"WS" ${webOnly}`);
  if ((InstanceConcurrencyConfig?.MaxConcurrency ?? 1) > 1) {
    refuse(context, errorCodes.badInstanceConcurrency, 'InstanceConcurrencyConfig', webOnly);
  }
}

export const createFunctionRequest = createFields
  .superRefine(checkRuntimeAndHandler)
  .superRefine(checkWebOnly)
  .transform((request) => ({
    ...request,
    Runtime: runtimeOf(request) ?? '',
    Handler: request.Handler ?? '',
    InitTimeout:
      request.InitTimeout ??
      (request.Code.ImageConfig ? IMAGE_INIT_TIMEOUT_SECONDS : initTimeoutSeconds.default),
  }));

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
    Publish: publishField,
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
  Layers: layersSchema,
  CfsConfig: cfsSchema,
  InstanceConcurrencyConfig: instanceConcurrencySchema,
  ProtocolParams: protocolParamsSchema,
  Publish: publishField,
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
