import type { CosTrigger, ObjectChange } from '@openscf/contracts';
import { cosEventName } from './event-name.policy.js';

/** S3 sends keys URL-encoded, with `+` for a space. A key that is no valid encoding is taken as it is. */
export function decodeObjectKey(encoded: string): string {
  const spaced = encoded.replaceAll('+', ' ');
  try {
    return decodeURIComponent(spaced);
  } catch {
    return spaced;
  }
}

/** Does this change start the trigger's function? */
export function matches(trigger: CosTrigger, change: ObjectChange): boolean {
  const event = cosEventName(change.eventName);
  if (!trigger.enabled || event === undefined || trigger.bucket !== change.s3.bucket.name) return false;
  const key = decodeObjectKey(change.s3.object.key);
  return eventMatches(trigger.event, event) && key.startsWith(trigger.prefix) && key.endsWith(trigger.suffix);
}

function eventMatches(wanted: string, event: string): boolean {
  return wanted.endsWith('*') ? event.startsWith(wanted.slice(0, -1)) : wanted === event;
}

const NS_PER_MS = 1_000_000n;

/**
 * What names one change: both notification targets, and a list of the bucket's objects, give the same. MinIO's sequencer is the
 * object's modification time in hexadecimal nanoseconds, of which a list shows the milliseconds.
 */
export function identityOf(change: ObjectChange): string {
  const { bucket, object } = change.s3;
  const kind = change.eventName.replace(/^s3:/, '').split(':')[0];
  return JSON.stringify([
    bucket.name,
    decodeObjectKey(object.key),
    object.versionId ?? '',
    momentOf(object.sequencer),
    kind,
  ]);
}

function momentOf(sequencer: string): string {
  return /^[0-9A-Fa-f]{16}$/.test(sequencer) ? String(BigInt(`0x${sequencer}`) / NS_PER_MS) : sequencer;
}
