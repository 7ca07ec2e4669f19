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

export const packageCodeSchema = codePackageSchema.extend({
  kind: z.literal('package').default('package'),
});

/** An OCI image of a registry, fixed to what its tag meant when it was deployed. */
export const imageCodeSchema = z.object({
  kind: z.literal('image'),
  /** As the user gave it: `{domain}/{namespace}/{name}:{tag}`, with or without `@{digest}`. */
  imageUri: z.string(),
  /** `sha256:<hex>` of the manifest; this and no tag is what is pulled. */
  digest: z.string(),
  /** Compressed size of its layers. */
  sizeBytes: z.number().int(),
  /** Instead of the image's ENTRYPOINT and CMD; empty for the image's own. */
  command: z.array(z.string()),
  args: z.array(z.string()),
  /** Where its web server listens (9000), or -1 for a job: a program that runs once for each invocation. */
  port: z.number().int(),
});
export type ImageCode = z.infer<typeof imageCodeSchema>;

/** One version of a layer, seen at `/opt` by the functions that are bound to it. Later ones win where files meet. */
export const layerStateSchema = codePackageSchema.extend({
  layerName: z.string(),
  layerVersion: z.number().int(),
});
export type LayerState = z.infer<typeof layerStateSchema>;

/** A shared directory (SCF: CFS) in an instance. What stands behind a file system's id is the operator's configuration. */
export const sharedDirectorySchema = z.object({
  cfsId: z.string(),
  /** Folder of the shared file system, absolute in it. */
  remoteDirectory: z.string(),
  /** Where the instance sees it: a folder below `/mnt`. */
  localDirectory: z.string(),
  /** User and group of the file system that instances read and write it as, and that own what they make. Not root. */
  uid: z.number().int().min(1).default(10_000),
  gid: z.number().int().min(1).default(10_000),
});
export type SharedDirectory = z.infer<typeof sharedDirectorySchema>;

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
  code: z.discriminatedUnion('kind', [packageCodeSchema, imageCodeSchema]),
  layers: z.array(layerStateSchema).default([]),
  sharedDirectories: z.array(sharedDirectorySchema).default([]),
  /** How many requests one instance serves at once, 1 to 100; more than 1 only for web functions. */
  instanceConcurrency: z.number().int().default(1),
  /** Web functions with `ProtocolType: WS`: a connection without traffic for this long is closed. */
  webSocketIdleMs: z.number().int().optional(),
  /** How often an event is tried again after the function's own error, and how old it may become. */
  asyncRetryNum: z.number().int().default(2),
  asyncMaxAgeMs: z.number().int().default(21_600_000),
  publicNetwork: z.boolean().default(true),
});
export type FunctionState = z.infer<typeof functionStateSchema>;
