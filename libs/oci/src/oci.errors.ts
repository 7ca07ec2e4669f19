import { PlatformError, type Fault } from '@openscf/contracts';

/**
 * - `bad-reference`: not the form of a reference.
 * - `not-found`: the registry has no such repository, tag or digest.
 * - `unauthorized`: the registry wants (other) credentials.
 * - `unreachable`: the registry does not answer, or not as one.
 * - `too-large`: over the limit, before or after decompression.
 * - `wrong-platform`: made for another operating system or processor.
 * - `broken`: what the registry gave is not what was asked for, or cannot be unpacked.
 * - `timed-out`, `cancelled`: given up by the caller's signal.
 * - `tools-missing`: skopeo or umoci is not installed on this host.
 */
export type ImageErrorReason =
  | 'bad-reference'
  | 'not-found'
  | 'unauthorized'
  | 'unreachable'
  | 'too-large'
  | 'wrong-platform'
  | 'broken'
  | 'timed-out'
  | 'cancelled'
  | 'tools-missing';

const IMAGE_URI = 'InvalidParameterValue.ImageUri';
const SYSTEM = 'InternalError.System';

const CASES: Record<ImageErrorReason, { code: string; fault: Fault; retryable: boolean }> = {
  'bad-reference': { code: IMAGE_URI, fault: 'caller', retryable: false },
  'not-found': { code: 'ResourceNotFound.ImageConfig', fault: 'caller', retryable: false },
  unauthorized: { code: 'UnauthorizedOperation', fault: 'caller', retryable: false },
  unreachable: { code: SYSTEM, fault: 'platform', retryable: true },
  'too-large': { code: IMAGE_URI, fault: 'caller', retryable: false },
  'wrong-platform': { code: IMAGE_URI, fault: 'caller', retryable: false },
  broken: { code: IMAGE_URI, fault: 'caller', retryable: false },
  'timed-out': { code: SYSTEM, fault: 'platform', retryable: true },
  cancelled: { code: SYSTEM, fault: 'platform', retryable: true },
  'tools-missing': { code: SYSTEM, fault: 'platform', retryable: false },
};

/** An image that cannot be had. The message names the image and says why. */
export class ImageError extends PlatformError {
  constructor(
    readonly reason: ImageErrorReason,
    readonly image: string,
    detail: string,
    cause?: unknown,
  ) {
    super(`Image ${image}: ${detail}`, { ...CASES[reason], info: { image, reason }, cause });
  }
}
