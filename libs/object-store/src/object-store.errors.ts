import { PlatformError } from '@openscf/contracts';

/** There is no such object (or no such bucket). */
export class ObjectNotFoundError extends PlatformError {
  constructor(bucket: string, key: string, cause?: unknown) {
    super(`No object "${key}" in bucket "${bucket}"`, {
      code: 'ResourceNotFound',
      fault: 'caller',
      retryable: false,
      info: { bucket, key },
      cause,
    });
  }
}
