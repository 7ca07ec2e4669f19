import { z } from 'zod';

/** SCF's states of a function. */
export const functionStatusSchema = z.enum([
  'Creating',
  'CreateFailed',
  'Active',
  'Updating',
  'UpdateFailed',
  'Publishing',
  'PublishFailed',
  'Deleting',
  'DeleteFailed',
]);
export type FunctionStatus = z.infer<typeof functionStatusSchema>;

/** A code package in the object store, found by what is in it. */
export const codePackageSchema = z.object({
  /** Hex SHA-256 of the zip. */
  sha256: z.string(),
  sizeBytes: z.number().int(),
  /** Key in the platform's bucket. */
  objectKey: z.string(),
});
export type CodePackage = z.infer<typeof codePackageSchema>;

/**
 * One version of a function, as everyone who routes or runs it needs it (topic `openscf.functions`, key `functionKey`).
 * `revision` grows with every change of this version; an instance serves exactly one revision.
 */
export const functionStateSchema = z.object({
  functionId: z.string(),
  namespace: z.string(),
  functionName: z.string(),
  version: z.string(),
  revision: z.number().int(),
  type: z.enum(['Event', 'HTTP']),
  status: functionStatusSchema,
  statusReason: z.string().default(''),
  runtime: z.string(),
  handler: z.string(),
  memoryMb: z.number().int(),
  timeoutMs: z.number().int(),
  initTimeoutMs: z.number().int(),
  environment: z.record(z.string(), z.string()),
  code: codePackageSchema,
  /** How often an event is tried again after the function's own error, and how old it may become. */
  asyncRetryNum: z.number().int().default(2),
  asyncMaxAgeMs: z.number().int().default(21_600_000),
  publicNetwork: z.boolean().default(true),
});
export type FunctionState = z.infer<typeof functionStateSchema>;
