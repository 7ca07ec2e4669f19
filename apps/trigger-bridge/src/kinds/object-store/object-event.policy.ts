import type { AsyncEvent, CosTrigger, ObjectChange } from '@openscf/contracts';
import { asyncEventOf, type Account } from '../../publishing/async-event.factory.js';
import { requestIdFrom } from '../../publishing/request-id.policy.js';
import { cosEventName } from './event-name.policy.js';
import { decodeObjectKey, identityOf } from './matching.policy.js';

/** SCF's event of a change in a bucket. */
export interface CosEvent {
  Records: [
    {
      cos: {
        cosSchemaVersion: '1.0';
        cosNotificationId: string;
        cosObject: { url: string; meta: Record<string, string>; vid: string; key: string; size: number };
        cosBucket: { region: string; name: string; appid: string; cosRegion: string; s3Region: string };
      };
      event: {
        eventName: string;
        eventVersion: '1.0';
        /** Seconds since the epoch. */
        eventTime: number;
        eventSource: 'qcs::cos';
        requestParameters: { requestSourceIP: string; requestHeaders: Record<string, string> };
        eventQueue: string;
        reservedInfo: '';
        reqid: number;
      };
    },
  ];
}

/** Regions have a short name in COS events; an unknown region keeps its full name. */
const SHORT_REGION: Readonly<Record<string, string>> = {
  'ap-guangzhou': 'gz',
  'ap-shanghai': 'sh',
  'ap-beijing': 'bj',
  'ap-chengdu': 'cd',
  'ap-chongqing': 'cq',
  'ap-nanjing': 'nj',
  'ap-hongkong': 'hk',
  'ap-singapore': 'sg',
};

export interface ObjectEventContext extends Account {
  /** Where functions reach the object store, without a slash at the end; it begins the object's `url`. */
  objectUrl: string;
}

/** The event of one change for one trigger; the same change always has the same request id. */
export function objectEventOf(
  trigger: CosTrigger,
  change: ObjectChange,
  context: ObjectEventContext,
  nowMs: number,
): AsyncEvent {
  return asyncEventOf(trigger, context, {
    requestId: requestIdFrom('cos', trigger.functionId, trigger.triggerName, identityOf(change)),
    event: cosEventOf(trigger, change, context),
    origin: {
      bucket: change.s3.bucket.name,
      key: decodeObjectKey(change.s3.object.key),
      version: change.s3.object.versionId ?? '',
    },
    acceptedAt: nowMs,
  });
}

export function cosEventOf(trigger: CosTrigger, change: ObjectChange, context: ObjectEventContext): CosEvent {
  const { bucket, object } = change.s3;
  const key = decodeObjectKey(object.key);
  const requestId = change.responseElements['x-amz-request-id'] ?? '';
  const region = SHORT_REGION[context.region] ?? context.region;
  return {
    Records: [
      {
        cos: {
          cosSchemaVersion: '1.0',
          // The vendor's own events spell it so.
          cosNotificationId: 'unkown',
          cosObject: {
            url: `${context.objectUrl}/${bucket.name}/${key.split('/').map(encodeURIComponent).join('/')}`,
            meta: { 'x-cos-request-id': requestId, 'Content-Type': object.contentType ?? '' },
            vid: object.versionId ?? '',
            key: `/${context.appId}/${bucket.name}/${key}`,
            size: object.size ?? 0,
          },
          cosBucket: {
            region,
            name: bucket.name,
            appid: context.appId,
            cosRegion: context.region,
            s3Region: context.region,
          },
        },
        event: {
          eventName: cosEventName(change.eventName) ?? change.eventName,
          eventVersion: '1.0',
          eventTime: Math.floor(Date.parse(change.eventTime) / 1_000),
          eventSource: 'qcs::cos',
          requestParameters: {
            requestSourceIP: change.requestParameters.sourceIPAddress,
            requestHeaders: {},
          },
          eventQueue: `qcs:0:scf:${context.region}:appid/${context.appId}:${trigger.namespace}.${trigger.functionName}.${trigger.qualifier}`,
          reservedInfo: '',
          reqid: requestNumber(requestId),
        },
      },
    ],
  };
}

/** SCF's `reqid` is a number; MinIO's request id is hexadecimal text. Its last 52 bits fit a JSON number exactly. */
function requestNumber(requestId: string): number {
  const number = Number.parseInt(requestId.slice(-13), 16);
  return Number.isNaN(number) ? 0 : number;
}
