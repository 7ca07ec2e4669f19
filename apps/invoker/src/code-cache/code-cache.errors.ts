import { PlatformError } from '@openscf/contracts';

/** A package that cannot be used: not the bytes that were asked for, or not a zip that may be unpacked. */
export class BadPackageError extends PlatformError {
  constructor(message: string, info?: Record<string, unknown>, cause?: unknown) {
    super(message, {
      code: 'InvalidParameterValue.ZipFile',
      fault: 'caller',
      retryable: false,
      cause,
      ...(info && { info }),
    });
  }
}
