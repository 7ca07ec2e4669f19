/**
 * Files in the order of use:
 * - sandbox.types.ts: the contract of drivers and sandboxes
 * - sandbox.errors.ts: what goes wrong, by reason
 * - safe-sandbox.driver.ts: wraps each driver: checks, deadlines, one destroy, destroy on error
 * - sandbox-spec.policy.ts: what a specification may say
 * - pid-one.ts, seccomp.policy.ts, proc.policy.ts: the parts of a sandbox that are the same for every driver
 * - undo-stack.ts, output.fifo.ts, owner.lock.ts: the same for every driver on this host
 * - sandbox-driver.fake.ts (`/fake`): scripted sandboxes for the tests of users
 * - conformance/ (`/conformance`): the suite that every driver passes
 */
export type * from './sandbox.types.js';
export { SandboxError, type SandboxErrorReason } from './sandbox.errors.js';
export { SafeSandboxDriver } from './safe-sandbox.driver.js';
export { checkDriverOptions, checkLimits, checkSpec } from './sandbox-spec.policy.js';
export {
  exitOfCode,
  INSTANCE_GID,
  INSTANCE_UID,
  PID_ONE_FILE,
  pidOneCommand,
  RUN_DIRECTORY,
} from './pid-one.js';
export { HIDDEN_PATHS, READ_ONLY_PATHS } from './proc.policy.js';
export { seccompProfile, type SeccompProfile } from './seccomp.policy.js';
export { openFifo, OUTPUT_FIFO_MODE } from './output.fifo.js';
export { refuseWhenOwned, takeOwnership } from './owner.lock.js';
export { startOrUndo, type UndoStack } from './undo-stack.js';
