import { Injectable } from '@nestjs/common';
import { CallerError } from '@openscf/contracts';
import { errorCodes } from '@openscf/scf-api';
import { ImageResolver, type ResolvedImage } from './image-resolver.js';

/** Stands in where no tool that talks to image registries is there. */
@Injectable()
export class AbsentImageResolver extends ImageResolver {
  resolve(imageUri: string): Promise<ResolvedImage> {
    const message = `Code.ImageConfig.ImageUri "${imageUri}" cannot be looked up: this installation has no access to image registries.`;
    return Promise.reject(new CallerError(errorCodes.createFailed, message));
  }
}
