/**
 * The Cloud API on the wire, in the order in which a request meets it: limits, signature, the shape of its action,
 * the envelope of the answer with its error codes, and the lines of a log that are the platform's.
 */
export * from './limits.js';
export * from './runtimes.js';
export * from './error-codes.js';
export * from './actions/action.table.js';
export * from './actions/parse-request.js';
export * from './actions/code.schema.js';
export * from './actions/trigger-desc.schema.js';
export type { HttpDesc } from './actions/http-desc.schema.js';
export type { LayerVersionInfo } from './actions/layers.schema.js';
export { triggerInfoSchema, type TriggerInfo } from './actions/triggers.schema.js';
export {
  functionLogSchema,
  requestStatusSchema,
  type FunctionLog,
  type RequestStatus,
} from './actions/logs.schema.js';
export { formatDateTime, parseDateTime } from './shapes/list-fields.schema.js';
export * from './tc3/authorization.js';
export * from './tc3/signature.js';
export * from './tc3/signer.js';
export * from './secrets/secret.cipher.js';
export * from './envelope.js';
export * from './log-text.js';
