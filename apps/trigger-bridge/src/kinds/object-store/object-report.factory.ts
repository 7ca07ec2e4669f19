import type { BucketNotification } from '@openscf/contracts';
import type { ObjectInfo } from '@openscf/object-store';

const NS_PER_MS = 1_000_000n;

/** The report that MinIO would have sent for an object, as far as a list of objects tells. */
export function reportOf(bucket: string, object: ObjectInfo): BucketNotification {
  const eventName = 's3:ObjectCreated:Put';
  return {
    EventName: eventName,
    Key: `${bucket}/${object.key}`,
    Records: [
      {
        eventName,
        eventTime: new Date(object.lastModifiedMs).toISOString(),
        requestParameters: { sourceIPAddress: '' },
        responseElements: {},
        s3: {
          bucket: { name: bucket },
          object: {
            key: encodeURIComponent(object.key),
            size: object.sizeBytes,
            eTag: object.etag,
            ...(object.contentType !== undefined && { contentType: object.contentType }),
            sequencer: (BigInt(object.lastModifiedMs) * NS_PER_MS).toString(16).toUpperCase(),
          },
        },
      },
    ],
  };
}
