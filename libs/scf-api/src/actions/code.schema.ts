import { z } from 'zod';
import { errorCodes } from '../error-codes.js';
import { defaulted, integer, oneOf, optional, refuse, required, text } from '../shapes/rule.js';

/**
 * Where a function's code comes from. The gateway takes the zip out of the body while it arrives, and leaves
 * `ZIP_TAKEN_OUT` in its place.
 */
export const ZIP_TAKEN_OUT = '(streamed)';

/** Shared with the content of a layer. */
export const zipField = optional(
  text({
    accepts: 'the base64 text of a zip',
    code: errorCodes.badZipFile,
    hidden: true,
    test: (value) => value === ZIP_TAKEN_OUT,
  }),
);

const imageText = (accepts: string, code: string, test: (value: string) => boolean) =>
  text({ accepts, code, test });
/** Words of a command line, separated by spaces: what is quoted there is not taken apart or put together. */
const isCommandLine = (value: string) => value.length <= 4096 && /^[^\0\r\n]*$/.test(value);
const commandLine = (code: string) =>
  defaulted(imageText('words separated by spaces, at most 4096 characters', code, isCommandLine), '');

/** `{domain}/{namespace}/{name}:{tag}@{digest}`: a domain, a path in lower case, and a tag, a digest or both. */
const IMAGE_URI =
  /^[A-Za-z0-9]([A-Za-z0-9.-]*[A-Za-z0-9])?(:\d{1,5})?(\/[a-z0-9]+([._-]+[a-z0-9]+)*)+(:[\w][\w.-]{0,127})?(@sha256:[0-9a-f]{64})?$/;

const imageSchema = z
  .object(
    {
      ImageType: defaulted(
        oneOf(['personal', 'enterprise', 'public'], errorCodes.badImageType, 'personal'),
        'personal',
      ),
      ImageUri: required(
        imageText(
          '{domain}/{namespace}/{name}:{tag}, with or without @sha256:{digest}',
          errorCodes.badImageUri,
          (value) => value.length <= 1024 && IMAGE_URI.test(value),
        ),
      ),
      RegistryId: defaulted(
        imageText('a text', errorCodes.badRegistryId, (value) => value.length <= 128),
        '',
      ),
      EntryPoint: commandLine(errorCodes.badImageCommand),
      Command: commandLine(errorCodes.badImageCommand),
      Args: commandLine(errorCodes.badImageArgs),
      ImagePort: defaulted(
        integer({
          accepts: '9000 (a web server) or -1 (a job)',
          code: errorCodes.badImagePort,
          test: (value) => value === 9000 || value === -1,
        }),
        9000,
      ),
    },
    { error: 'must be an object that holds ImageType and ImageUri' },
  )
  .nullish()
  .transform((image) => image ?? undefined);

const anyText = optional(text({ accepts: 'a text', code: errorCodes.badCode }));

const sources = {
  ZipFile: zipField,
  CosBucketName: anyText,
  CosObjectName: anyText,
  CosBucketRegion: anyText,
  TempCosObjectName: anyText,
  DemoId: anyText,
  ImageConfig: imageSchema,
};

type Sources = { [name in keyof typeof sources]?: unknown };
type Context = Parameters<typeof refuse>[0];

const OTHER_SOURCES = ['CosBucketName', 'TempCosObjectName', 'DemoId'] as const;

function checkSource(code: Sources, context: Context): void {
  if (code.ZipFile !== undefined && code.ImageConfig) {
    refuse(context, errorCodes.badCode, 'ImageConfig', 'is given together with ZipFile: give one of them');
  }
  if (code.ZipFile !== undefined || code.ImageConfig) return;
  const other = OTHER_SOURCES.find((name) => code[name]);
  if (other === undefined) refuse(context, errorCodes.missingCode, 'ZipFile', 'is missing');
  else
    refuse(
      context,
      errorCodes.badCode,
      other,
      'is not supported by this version: use ZipFile or ImageConfig',
    );
}

/** `Code` of CreateFunction. */
export const codeSchema = z
  .object(sources, { error: 'must be an object that holds ZipFile or ImageConfig' })
  .superRefine(checkSource);

/** UpdateFunctionCode takes the same inside `Code` or beside the other fields. */
export const codeOfUpdate = {
  ...sources,
  Code: z
    .object(sources, { error: 'must be an object that holds ZipFile or ImageConfig' })
    .nullish()
    .transform((code) => code ?? undefined),
};

export function checkCodeOfUpdate(request: Sources & { Code?: Sources | undefined }, context: Context): void {
  checkSource(request.Code ?? request, context);
}
