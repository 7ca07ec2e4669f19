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

/**
 * What names one change: both notification targets report it with the same bucket, key, version, sequencer and event.
 */
export function identityOf(change: ObjectChange): string {
  const { bucket, object } = change.s3;
  return JSON.stringify([
    bucket.name,
    object.key,
    object.versionId ?? '',
    object.sequencer,
    change.eventName,
  ]);
}
