import { z } from 'zod';
import { errorCodes } from '../error-codes.js';
import { descriptionRule } from '../shapes/function-fields.schema.js';
import {
  compatibleRuntimesField,
  layerNameField,
  layerVersionField,
  runtimeNameRule,
} from '../shapes/layer-fields.schema.js';
import { limitField, offsetField } from '../shapes/list-fields.schema.js';
import { defaulted, refuse, text } from '../shapes/rule.js';
import { zipField } from './code.schema.js';

/** The actions on layers. A layer belongs to the account, not to a namespace. */

const contentSchema = z
  .object(
    { ZipFile: zipField, CosBucketName: z.unknown().optional(), TempCosObjectName: z.unknown().optional() },
    { error: 'must be an object that holds ZipFile' },
  )
  .superRefine((content, context) => {
    if (content.ZipFile !== undefined) return;
    const other = (['CosBucketName', 'TempCosObjectName'] as const).find((name) => content[name]);
    if (other === undefined) refuse(context, errorCodes.missingCode, 'ZipFile', 'is missing');
    else refuse(context, errorCodes.badContent, other, 'is not supported by this version: use ZipFile');
  });

export const publishLayerVersionRequest = z.object({
  LayerName: layerNameField,
  CompatibleRuntimes: compatibleRuntimesField,
  Content: z.preprocess((value) => value ?? {}, contentSchema),
  Description: defaulted(descriptionRule, ''),
  LicenseInfo: defaulted(text({ ...descriptionRule, code: errorCodes.badValue }), ''),
});
export const publishLayerVersionResponse = z.object({ LayerVersion: z.number().int() });

const layerFields = {
  CompatibleRuntimes: z.array(z.string()),
  AddTime: z.string(),
  Description: z.string(),
  LicenseInfo: z.string(),
  LayerVersion: z.number().int(),
  LayerName: z.string(),
  Status: z.enum(['Active', 'Deleted']),
};

export const layerVersionInfoSchema = z.object({
  ...layerFields,
  Stamp: z.string(),
  Tags: z.array(z.object({ Key: z.string(), Value: z.string() })),
});
export type LayerVersionInfo = z.infer<typeof layerVersionInfoSchema>;

export const layerVersionRequest = z.object({ LayerName: layerNameField, LayerVersion: layerVersionField });
export const getLayerVersionResponse = z.object({
  ...layerFields,
  CodeSha256: z.string(),
  Location: z.string(),
});

export const listLayersRequest = z.object({
  CompatibleRuntime: defaulted(
    text({ ...runtimeNameRule, test: (value) => value === '' || runtimeNameRule.read(value) !== undefined }),
    '',
  ),
  Offset: offsetField,
  Limit: limitField(),
  SearchKey: defaulted(text({ accepts: 'a text', code: errorCodes.badSearchKey }), ''),
});
export const listLayersResponse = z.object({
  Layers: z.array(layerVersionInfoSchema),
  TotalCount: z.number().int(),
});

export const listLayerVersionsRequest = z.object({
  LayerName: layerNameField,
  CompatibleRuntime: z
    .array(z.string(), { error: 'must be a list of runtimes' })
    .nullish()
    .transform((value) => value ?? []),
});
export const listLayerVersionsResponse = z.object({ LayerVersions: z.array(layerVersionInfoSchema) });
