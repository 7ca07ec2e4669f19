import { describe, expect, it } from 'vitest';
import { cosTrigger, objectChange } from './object-change.fake.js';
import { cosEventOf, objectEventOf } from './object-event.policy.js';

const context = {
  appId: '1250000000',
  uin: '100000000001',
  region: 'ap-guangzhou',
  objectUrl: 'http://minio.openscf.internal:9000',
};

describe('cosEventOf', () => {
  it("has SCF's shape", () => {
    expect(cosEventOf(cosTrigger(), objectChange(), context)).toEqual({
      Records: [
        {
          cos: {
            cosSchemaVersion: '1.0',
            cosNotificationId: 'unkown',
            cosObject: {
              url: 'http://minio.openscf.internal:9000/photos/in/a%20b.jpg',
              meta: { 'x-cos-request-id': '17A1B2C3D4E5F607', 'Content-Type': 'image/jpeg' },
              vid: '',
              key: '/1250000000/photos/in/a b.jpg',
              size: 1029,
            },
            cosBucket: {
              region: 'gz',
              name: 'photos',
              appid: '1250000000',
              cosRegion: 'ap-guangzhou',
              s3Region: 'ap-guangzhou',
            },
          },
          event: {
            eventName: 'cos:ObjectCreated:Put',
            eventVersion: '1.0',
            eventTime: 1545205770,
            eventSource: 'qcs::cos',
            requestParameters: { requestSourceIP: '1.2.3.4', requestHeaders: {} },
            eventQueue: 'qcs:0:scf:ap-guangzhou:appid/1250000000:default.thumbnail.$DEFAULT',
            reservedInfo: '',
            reqid: 0x1b2c3d4e5f607,
          },
        },
      ],
    });
  });
});

describe('objectEventOf', () => {
  it('has the same request id for the same change and trigger only', () => {
    const id = (trigger = cosTrigger(), change = objectChange()): string =>
      objectEventOf(trigger, change, context, 5).requestId;
    expect(id()).toBe(id());
    expect(id(cosTrigger({ functionId: 'lam-2' }))).not.toBe(id());
    expect(id(cosTrigger(), objectChange({ sequencer: '17A2' }))).not.toBe(id());
  });

  it('says where it came from', () => {
    expect(objectEventOf(cosTrigger(), objectChange(), context, 5)).toMatchObject({
      source: 'cos',
      acceptedAt: 5,
      origin: { trigger: 'photos', bucket: 'photos', key: 'in/a b.jpg' },
    });
  });
});
