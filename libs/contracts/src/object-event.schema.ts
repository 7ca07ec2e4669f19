import { z } from 'zod';

/** One change in a bucket, in S3's notification shape, of which only what is used is checked. */
export const objectChangeSchema = z.object({
  eventName: z.string(),
  eventTime: z.string(),
  requestParameters: z.object({ sourceIPAddress: z.string().default('') }).default({ sourceIPAddress: '' }),
  responseElements: z.record(z.string(), z.string()).default({}),
  s3: z.object({
    bucket: z.object({ name: z.string() }),
    object: z.object({
      /** URL-encoded, with `+` for a space. */
      key: z.string(),
      size: z.number().int().optional(),
      eTag: z.string().optional(),
      contentType: z.string().optional(),
      versionId: z.string().optional(),
      /** Grows with every change of a key; the same on both notification targets. */
      sequencer: z.string(),
    }),
  }),
});
export type ObjectChange = z.infer<typeof objectChangeSchema>;

/** What MinIO's Kafka target writes (topics `openscf.object-events` and `openscf.object-events-durable`). */
export const bucketNotificationSchema = z.object({
  EventName: z.string(),
  /** `bucket/key`. */
  Key: z.string(),
  Records: z.array(objectChangeSchema),
});
export type BucketNotification = z.infer<typeof bucketNotificationSchema>;
