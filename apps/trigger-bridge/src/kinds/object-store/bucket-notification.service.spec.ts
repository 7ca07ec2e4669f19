import { UnavailableError } from '@openscf/contracts';
import { ObjectNotFoundError, type NotificationRule } from '@openscf/object-store';
import { silentLogger } from '@openscf/telemetry';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { BucketNotificationService } from './bucket-notification.service.js';

const foreign: NotificationRule = {
  id: 'theirs',
  arn: 'arn:minio:sqs::X:webhook',
  events: ['s3:ObjectCreated:*'],
};

describe('BucketNotificationService', () => {
  let rules: Map<string, NotificationRule[]>;
  let remembered: Map<string, boolean>;
  let caughtUp: string[];
  let wanted: Set<string>;
  let away: boolean;
  let service: BucketNotificationService;

  const store = {
    getNotifications: (bucket: string) => {
      if (away) return Promise.reject(new UnavailableError('MinIO is away'));
      const found = rules.get(bucket);
      return found ? Promise.resolve(found) : Promise.reject(new ObjectNotFoundError(bucket, ''));
    },
    setNotifications: (bucket: string, ours: readonly NotificationRule[]) => {
      const others = rules.get(bucket)?.filter((rule) => !rule.id.startsWith('openscf-')) ?? [];
      rules.set(bucket, [...others, ...ours]);
      return Promise.resolve();
    },
  };
  const notified = {
    all: () => Promise.resolve([...remembered].map(([bucket, done]) => ({ bucket, caughtUp: done }))),
    set: (bucket: string, done: boolean) => Promise.resolve(void remembered.set(bucket, done)),
    remove: (bucket: string) => Promise.resolve(void remembered.delete(bucket)),
  };
  const idsOf = (bucket: string): string[] => (rules.get(bucket) ?? []).map((rule) => rule.id).sort();

  beforeEach(() => {
    rules = new Map([['photos', [foreign]]]);
    remembered = new Map();
    caughtUp = [];
    wanted = new Set();
    away = false;
    service = new BucketNotificationService(
      (bucket) => wanted.has(bucket),
      store,
      notified,
      (bucket) => Promise.resolve(void caughtUp.push(bucket)),
      silentLogger(),
      {
        retryMs: 5,
        auditMs: 20,
      },
    );
  });
  afterEach(() => service.stop());

  it('sets both targets with the first trigger and removes them with the last, keeping the rules of others', async () => {
    service.begin([]);
    wanted.add('photos');
    service.look('photos');
    await vi.waitFor(() =>
      expect(idsOf('photos')).toEqual(['openscf-durable', 'openscf-immediate', 'theirs']),
    );
    expect(rules.get('photos')?.map((rule) => rule.arn)).toContain('arn:minio:sqs::DURABLE:kafka');
    wanted.delete('photos');
    service.look('photos');
    await vi.waitFor(() => expect(idsOf('photos')).toEqual(['theirs']));
    await vi.waitFor(() => expect(remembered.size).toBe(0));
  });

  it('removes what was left when the last trigger went while the bridge was away', async () => {
    remembered.set('photos', true);
    rules.set('photos', [
      foreign,
      { id: 'openscf-durable', arn: 'arn:minio:sqs::DURABLE:kafka', events: [] },
    ]);
    service.begin([]);
    await vi.waitFor(() => expect(idsOf('photos')).toEqual(['theirs']));
  });

  it('tries again until the store is back and the bucket is there', async () => {
    away = true;
    wanted.add('new');
    service.begin(['new']);
    away = false;
    rules.set('new', []);
    await vi.waitFor(() => expect(idsOf('new')).toEqual(['openscf-durable', 'openscf-immediate']));
  });

  it('looks for what was put before, once, and again when it was interrupted', async () => {
    wanted.add('photos');
    service.begin(['photos']);
    await vi.waitFor(() => expect(remembered.get('photos')).toBe(true));
    expect(caughtUp).toEqual(['photos']);
    await service.stop();
    remembered.set('photos', false);
    const next = new BucketNotificationService(
      (bucket) => wanted.has(bucket),
      store,
      notified,
      (bucket) => Promise.resolve(void caughtUp.push(bucket)),
      silentLogger(),
      {
        retryMs: 5,
        auditMs: 20,
      },
    );
    next.begin(['photos']);
    await vi.waitFor(() => expect(remembered.get('photos')).toBe(true));
    await next.stop();
    expect(caughtUp).toEqual(['photos', 'photos']);
  });

  it('notices that a bucket has been made anew', async () => {
    wanted.add('photos');
    service.begin(['photos']);
    await vi.waitFor(() => expect(idsOf('photos')).toHaveLength(3));
    rules.set('photos', []);
    await vi.waitFor(() => expect(idsOf('photos')).toHaveLength(2));
  });
});
