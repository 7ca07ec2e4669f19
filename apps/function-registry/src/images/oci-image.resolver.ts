import { Injectable } from '@nestjs/common';
import { CallerError, UnavailableError } from '@openscf/contracts';
import { ImageError, ImageRegistry, parseImageReference, type ImageRegistryOptions } from '@openscf/oci';
import { errorCodes } from '@openscf/scf-api';
import { ImageResolver, type ResolvedImage } from './image-resolver.js';

/** What the port promises. */
const ANSWER_WITHIN_MS = 25_000;

/** Asks the image's own registry, with the operator's credentials. */
@Injectable()
export class OciImageResolver extends ImageResolver {
  private readonly registry: ImageRegistry;

  constructor(options: ImageRegistryOptions) {
    super();
    this.registry = new ImageRegistry(options);
  }

  async resolve(imageUri: string): Promise<ResolvedImage> {
    try {
      const reference = parseImageReference(imageUri);
      const timeout = AbortSignal.timeout(ANSWER_WITHIN_MS);
      const { digest, sizeBytes } = await this.registry.inspect(reference, timeout);
      return { digest, sizeBytes };
    } catch (error) {
      throw error instanceof ImageError ? explain(error) : error;
    }
  }
}

function explain(error: ImageError): CallerError | UnavailableError {
  const message = `Code.ImageConfig.ImageUri: ${error.message}`;
  if (error.fault === 'caller') return new CallerError(error.code, message, error.info);
  // Trying again does not help before the operator has installed them.
  if (error.reason === 'tools-missing') return new CallerError(errorCodes.createFailed, message, error.info);
  return new UnavailableError(message, error);
}
