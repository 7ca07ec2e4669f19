import type { BucketNotification, CosTrigger, ObjectChange } from '@openscf/contracts';

/** A change as MinIO reports it, for tests. */
export function objectChange(
  over: { key?: string; eventName?: string; sequencer?: string } = {},
): ObjectChange {
  return {
    eventName: over.eventName ?? 's3:ObjectCreated:Put',
    eventTime: '2018-12-19T07:49:30.123Z',
    requestParameters: { sourceIPAddress: '1.2.3.4' },
    responseElements: { 'x-amz-request-id': '17A1B2C3D4E5F607' },
    s3: {
      bucket: { name: 'photos' },
      object: {
        key: over.key ?? 'in%2Fa+b.jpg',
        size: 1029,
        contentType: 'image/jpeg',
        sequencer: over.sequencer ?? '17A1',
      },
    },
  };
}

export function report(change: ObjectChange): BucketNotification {
  return { EventName: change.eventName, Key: `photos/${change.s3.object.key}`, Records: [change] };
}

export function cosTrigger(over: Partial<CosTrigger> = {}): CosTrigger {
  return {
    type: 'cos',
    namespace: 'default',
    functionName: 'thumbnail',
    functionId: 'lam-1',
    triggerName: 'photos',
    qualifier: '$DEFAULT',
    enabled: true,
    revision: 1,
    createdAt: 1,
    bucket: 'photos',
    event: 'cos:ObjectCreated:*',
    prefix: '',
    suffix: '',
    ...over,
  };
}
