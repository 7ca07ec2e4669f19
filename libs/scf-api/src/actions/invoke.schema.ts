import { DEFAULT_ALIAS, LATEST } from '@openscf/contracts';
import { z } from 'zod';
import { errorCodes } from '../error-codes.js';
import { ROUTING_KEY_BYTES } from '../limits.js';
import {
  invokedFunctionNameField,
  namespaceField,
  qualifierField,
} from '../shapes/identity-fields.schema.js';
import { defaulted, oneOf, optional, text } from '../shapes/rule.js';

/**
 * Requests of Invoke and InvokeFunction. The hot path of the gateway reads the same fields by hand and comes here when
 * something is unusual, so that the messages are written once.
 */

const routingKey = optional(
  text({
    accepts: `a text of at most ${ROUTING_KEY_BYTES} bytes`,
    code: errorCodes.badParam,
    test: (value) => Buffer.byteLength(value) <= ROUTING_KEY_BYTES,
  }),
);

const jsonText = optional(text({ accepts: 'JSON text', code: errorCodes.badParam, hidden: true }));

const shared = {
  FunctionName: invokedFunctionNameField,
  Namespace: namespaceField,
  LogType: defaulted(oneOf(['None', 'Tail'], errorCodes.badParam, 'None'), 'None'),
  RoutingKey: routingKey,
};

export const invokeRequest = z.object({
  ...shared,
  InvocationType: defaulted(
    oneOf(['RequestResponse', 'Event'], errorCodes.badParam, 'RequestResponse'),
    'RequestResponse',
  ),
  Qualifier: qualifierField(LATEST),
  ClientContext: jsonText,
});

export const invokeFunctionRequest = z.object({
  ...shared,
  Qualifier: qualifierField(DEFAULT_ALIAS),
  Event: jsonText,
});

/** `Result` of both. Sizes in bytes, times in ms; for an async call only FunctionRequestId is set. */
export const invokeResponse = z.object({
  Result: z.object({
    Log: z.string(),
    RetMsg: z.string(),
    ErrMsg: z.string(),
    MemUsage: z.number().int(),
    Duration: z.number(),
    BillDuration: z.number().int(),
    FunctionRequestId: z.string(),
    /** 0 done, 1 the function failed, -1 the platform failed. */
    InvokeResult: z.number().int(),
  }),
});
