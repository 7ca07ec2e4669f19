import { z } from 'zod';
import { errorCodes } from '../error-codes.js';
import { optional, refuse, text } from '../shapes/rule.js';

/**
 * Where a function's code comes from. The gateway takes the zip out of the body while it arrives, and leaves
 * `ZIP_TAKEN_OUT` in its place.
 */
export const ZIP_TAKEN_OUT = '(streamed)';

const zipField = optional(
  text({
    accepts: 'the base64 text of a zip',
    code: errorCodes.badZipFile,
    hidden: true,
    test: (value) => value === ZIP_TAKEN_OUT,
  }),
);

const anyText = optional(text({ accepts: 'a text', code: errorCodes.badCode }));

const sources = {
  ZipFile: zipField,
  CosBucketName: anyText,
  CosObjectName: anyText,
  CosBucketRegion: anyText,
  TempCosObjectName: anyText,
  DemoId: anyText,
  ImageConfig: z.unknown().optional(),
};

type Sources = { [name in keyof typeof sources]?: unknown };
type Context = Parameters<typeof refuse>[0];

const OTHER_SOURCES = ['CosBucketName', 'TempCosObjectName', 'DemoId', 'ImageConfig'] as const;

function checkSource(code: Sources, context: Context): void {
  if (code.ZipFile !== undefined) return;
  const other = OTHER_SOURCES.find((name) => code[name]);
  if (other === undefined) refuse(context, errorCodes.missingCode, 'ZipFile', 'is missing');
  else refuse(context, errorCodes.badCode, other, 'is not supported by this version: use ZipFile');
}

/** `Code` of CreateFunction. */
export const codeSchema = z
  .object(sources, { error: 'must be an object that holds ZipFile' })
  .superRefine(checkSource);

/** UpdateFunctionCode takes the same inside `Code` or beside the other fields. */
export const codeOfUpdate = {
  ...sources,
  Code: z
    .object(sources, { error: 'must be an object that holds ZipFile' })
    .nullish()
    .transform((code) => code ?? undefined),
};

export function checkCodeOfUpdate(request: Sources & { Code?: Sources | undefined }, context: Context): void {
  checkSource(request.Code ?? request, context);
}
