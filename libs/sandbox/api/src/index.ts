/**
 * Files in the order of use:
 * - sandbox.types.ts: the contract of drivers and sandboxes
 * - sandbox.errors.ts: what goes wrong, by reason
 */
export type * from './sandbox.types.js';
export { SandboxError, type SandboxErrorReason } from './sandbox.errors.js';
