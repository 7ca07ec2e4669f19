import { PlatformError } from '@openscf/contracts';

/**
 * - `invalid-spec`: the specification is wrong; the message names the field, the value and what is accepted.
 * - `host-not-ready`: the host lacks something; the message says what.
 * - `start-failed`, `start-timed-out`: the sandbox could not be started; nothing of it is left.
 * - `engine-timed-out`: what runs the sandboxes did not answer in time; the message names the request.
 * - `not-supported`: this driver cannot do it; `capabilities` tells so beforehand.
 * - `sandbox-gone`: the sandbox has ended or was destroyed.
 * - `driver-closed`: the driver is closing or closed.
 */
export type SandboxErrorReason =
  | 'invalid-spec'
  | 'host-not-ready'
  | 'start-failed'
  | 'start-timed-out'
  | 'engine-timed-out'
  | 'not-supported'
  | 'sandbox-gone'
  | 'driver-closed';

const RETRYABLE: ReadonlySet<SandboxErrorReason> = new Set([
  'start-failed',
  'start-timed-out',
  'engine-timed-out',
]);

/** What a driver reports when it cannot do as asked. Always the platform's fault: functions and callers never see a driver. */
export class SandboxError extends PlatformError {
  constructor(
    readonly reason: SandboxErrorReason,
    message: string,
    options: { info?: Record<string, unknown>; cause?: unknown } = {},
  ) {
    super(message, {
      code: 'InternalError.System',
      fault: 'platform',
      retryable: RETRYABLE.has(reason),
      ...options,
    });
  }
}
