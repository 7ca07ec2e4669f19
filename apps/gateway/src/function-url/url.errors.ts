import { PlatformError } from '@openscf/contracts';

/** What a function URL answers instead of the function: an HTTP status, a code and a sentence for the caller. */
export class UrlError extends PlatformError {
  constructor(
    readonly httpStatus: number,
    code: string,
    message: string,
  ) {
    super(message, { code, fault: 'caller', retryable: false });
  }
}
