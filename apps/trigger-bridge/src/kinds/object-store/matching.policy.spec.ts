import { describe, expect, it } from 'vitest';
import { decodeObjectKey, identityOf, matches } from './matching.policy.js';
import { cosTrigger, objectChange } from './object-change.fake.js';

describe('matches', () => {
  it.each([
    ['cos:ObjectCreated:*', 's3:ObjectCreated:Put', true],
    ['cos:ObjectCreated:*', 's3:ObjectCreated:CompleteMultipartUpload', true],
    ['cos:ObjectCreated:Put', 's3:ObjectCreated:Copy', false],
    ['cos:ObjectCreated:*', 's3:ObjectRemoved:Delete', false],
    ['cos:ObjectRemove:*', 's3:ObjectRemoved:DeleteMarkerCreated', true],
    ['cos:ObjectRemove:Delete', 's3:ObjectRemoved:Delete', true],
    ['cos:ObjectRemove:Delete', 's3:ObjectRemoved:DeleteMarkerCreated', false],
    ['cos:ObjectCreated:*', 's3:ObjectCreated:PutTagging', false],
  ])('%s and %s: %s', (event, eventName, expected) => {
    expect(matches(cosTrigger({ event }), objectChange({ eventName }))).toBe(expected);
  });

  it.each([
    ['in/', '', true],
    ['in/', '.jpg', true],
    ['in/a b', 'b.jpg', true],
    ['', '.png', false],
    ['out/', '', false],
    ['in%2F', '', false],
  ])('compares prefix "%s" and suffix "%s" with the decoded key: %s', (prefix, suffix, expected) => {
    expect(matches(cosTrigger({ prefix, suffix }), objectChange())).toBe(expected);
  });

  it('needs an enabled trigger on the same bucket', () => {
    expect(matches(cosTrigger({ enabled: false }), objectChange())).toBe(false);
    expect(matches(cosTrigger({ bucket: 'other' }), objectChange())).toBe(false);
  });
});

describe('decodeObjectKey', () => {
  it('turns + into a space and percent codes into characters', () => {
    expect(decodeObjectKey('a%2Fb+c%2B%E4%B8%AD.txt')).toBe('a/b c+中.txt');
  });

  it('takes a key that is no encoding as it is', () => {
    expect(decodeObjectKey('100%')).toBe('100%');
  });
});

describe('identityOf', () => {
  it('tells changes of one key apart', () => {
    expect(identityOf(objectChange())).toBe(identityOf(objectChange()));
    expect(identityOf(objectChange({ sequencer: '2' }))).not.toBe(identityOf(objectChange()));
  });
});
