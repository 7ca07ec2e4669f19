import { describe, expect, it } from 'vitest';
import { applyRules, readRules, type NotificationState } from './notification.policy.js';

const theirs = {
  Id: 'theirs',
  Queue: 'arn:minio:sqs::THEIRS:kafka',
  Event: ['s3:ObjectCreated:*'],
  Filter: [{ Name: 'prefix', Value: 'p/' }],
};
const old = {
  Id: 'openscf-old',
  Queue: 'arn:minio:sqs::IMMEDIATE:kafka',
  Event: ['s3:ObjectRemoved:*'],
  Filter: [],
};
const state: NotificationState = {
  TopicConfiguration: [{ Id: 'topic', Topic: 'arn:t', Event: ['s3:ObjectCreated:*'], Filter: [] }],
  QueueConfiguration: [theirs, old],
  CloudFunctionConfiguration: [],
};

describe('applyRules', () => {
  it('replaces ours, keeps the others with their filters, and nests filters as the store wants them', () => {
    const rule = {
      id: 'openscf-new',
      arn: 'arn:minio:sqs::DURABLE:kafka',
      events: ['s3:ObjectCreated:Put'],
      suffix: '.png',
    };
    expect(applyRules(state, [rule])).toEqual({
      TopicConfiguration: [{ Id: 'topic', Topic: 'arn:t', Event: ['s3:ObjectCreated:*'] }],
      QueueConfiguration: [
        {
          Id: 'theirs',
          Queue: 'arn:minio:sqs::THEIRS:kafka',
          Event: ['s3:ObjectCreated:*'],
          Filter: { S3Key: { FilterRule: [{ Name: 'prefix', Value: 'p/' }] } },
        },
        {
          Id: 'openscf-new',
          Queue: 'arn:minio:sqs::DURABLE:kafka',
          Event: ['s3:ObjectCreated:Put'],
          Filter: { S3Key: { FilterRule: [{ Name: 'suffix', Value: '.png' }] } },
        },
      ],
      CloudFunctionConfiguration: [],
    });
  });
});

describe('readRules', () => {
  it('names filters that are there and leaves out those that are not', () => {
    expect(readRules(state)).toEqual([
      { id: 'theirs', arn: theirs.Queue, events: theirs.Event, prefix: 'p/' },
      { id: 'openscf-old', arn: old.Queue, events: old.Event },
    ]);
  });
});
