import { z } from 'zod';

/** Who asks: the account of the verified signature. */
export const callerSchema = z.object({ appId: z.string(), uin: z.string(), secretId: z.string() });
export type Caller = z.infer<typeof callerSchema>;

/** A zip that the gateway has streamed into the platform's bucket; the registry takes it over or removes it. */
export const uploadSchema = z.object({
  objectKey: z.string(),
  sizeBytes: z.number().int(),
  sha256: z.string(),
});
export type Upload = z.infer<typeof uploadSchema>;

/**
 * A Cloud API action on its way to the service that owns it. `request` is checked against the action's shape of
 * @openscf/scf-api at the gateway. A zip in it is replaced by `upload`.
 */
export const commandSchema = z.object({
  requestId: z.string(),
  caller: callerSchema,
  request: z.record(z.string(), z.unknown()),
  upload: uploadSchema.optional(),
});
export type Command = z.infer<typeof commandSchema>;

/** A record of a compacted topic that the caller must be able to see in its next call. */
export const writtenSchema = z.object({
  topic: z.string(),
  key: z.string(),
  /** The record's revision, or null when it was removed. */
  revision: z.number().int().nullable(),
});
export type Written = z.infer<typeof writtenSchema>;

export const commandReplySchema = z.discriminatedUnion('ok', [
  z.object({
    ok: z.literal(true),
    /** The action's response without `RequestId`. */
    response: z.record(z.string(), z.unknown()),
    written: z.array(writtenSchema).default([]),
  }),
  z.object({ ok: z.literal(false), code: z.string(), message: z.string() }),
]);
export type CommandReply = z.infer<typeof commandReplySchema>;
