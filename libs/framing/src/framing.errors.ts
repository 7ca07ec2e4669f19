import { PlatformError } from '@openscf/contracts';

/** The peer sent bytes that are not frames, or a frame beyond the limits. The connection cannot be used any further. */
export class FramingError extends PlatformError {
  constructor(message: string, info?: Record<string, unknown>) {
    super(message, {
      code: 'InternalError.System',
      fault: 'platform',
      retryable: false,
      ...(info && { info }),
    });
  }
}
