import { Injectable } from '@nestjs/common';
import { CallerError, type Upload } from '@openscf/contracts';
import { errorCodes, type ActionRequest } from '@openscf/scf-api';
import { ImageResolver } from '../images/image-resolver.js';
import { PackagesService } from '../packages/packages.service.js';
import type { Code } from './function-record.policy.js';

type ImageConfig = NonNullable<ActionRequest<'CreateFunction'>['Code']['ImageConfig']>;

function wordsOf(commandLine: string): string[] {
  return commandLine.split(/\s+/).filter((word) => word !== '');
}

/** Where the code of a deployment comes from: a zip that was uploaded, or an image in a registry. */
@Injectable()
export class FunctionCode {
  constructor(
    private readonly packages: PackagesService,
    private readonly images: ImageResolver,
  ) {}

  /** Checks the code and makes it last: a zip is stored under its content's name, an image fixed to its digest. */
  async of(image: ImageConfig | undefined, upload: Upload | undefined): Promise<Code> {
    if (image) return this.ofImage(image);
    if (upload) return { kind: 'package', ...(await this.packages.takeOver(upload)) };
    throw new CallerError(errorCodes.missingCode, 'Code.ZipFile is missing.');
  }

  private async ofImage(image: ImageConfig): Promise<Code> {
    const { digest, sizeBytes } = await this.images.resolve(image.ImageUri);
    return {
      kind: 'image',
      imageUri: image.ImageUri,
      digest,
      sizeBytes,
      command: wordsOf(image.Command || image.EntryPoint),
      args: wordsOf(image.Args),
      port: image.ImagePort,
    };
  }
}
