import { createHash } from 'node:crypto';
import { CallerError, type CosTrigger } from '@openscf/contracts';
import { errorCodes, parseCosDesc } from '@openscf/scf-api';

/** What a trigger of a bucket listens to. */
export type CosRule = Pick<CosTrigger, 'bucket' | 'event' | 'prefix' | 'suffix'>;

/** The cloud's host form; appid and region are whose they may be, there is one object store. */
const HOST_FORM = /^(.+)-\d{1,20}\.cos\.[a-z0-9-]+\.myqcloud\.com$/;
/** S3's rule for buckets. */
const BUCKET = /^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$/;

/** The bucket that a trigger's name means: `photos`, or `photos-<appid>.cos.<region>.myqcloud.com`. */
export function bucketOf(triggerName: string, platformBucket: string): string {
  const bucket = HOST_FORM.exec(triggerName)?.[1] ?? triggerName;
  if (!BUCKET.test(bucket)) {
    const accepts =
      'the name of a bucket (3 to 63 lower-case letters, digits, dots and -), or <name>-<appid>.cos.<region>.myqcloud.com';
    throw new CallerError(
      errorCodes.badTriggerName,
      `TriggerName "${triggerName}" is not accepted: it must be ${accepts}.`,
    );
  }
  if (bucket === platformBucket) {
    throw new CallerError(
      errorCodes.badCos,
      `TriggerName "${triggerName}" is not accepted: this bucket belongs to the platform.`,
    );
  }
  return bucket;
}

export function cosRuleOf(bucket: string, desc: string): CosRule {
  const { event, filter } = parseCosDesc(desc);
  return { bucket, event, prefix: filter.Prefix, suffix: filter.Suffix };
}

/** A name for the rule among all rules of a function: SCF calls all of one bucket alike. */
export function cosStateName({ bucket, event, prefix, suffix }: CosRule): string {
  const hash = createHash('sha256')
    .update(JSON.stringify([event, prefix, suffix]))
    .digest('hex');
  return `${bucket}~${hash.slice(0, 8)}`;
}

export function isSameRule(a: CosRule, b: CosRule): boolean {
  return a.bucket === b.bucket && a.event === b.event && a.prefix === b.prefix && a.suffix === b.suffix;
}

function eventsOverlap(a: string, b: string): boolean {
  const family = (event: string) => event.slice(0, event.lastIndexOf(':'));
  return a === b || (family(a) === family(b) && (a.endsWith(':*') || b.endsWith(':*')));
}

/** True when one change of an object can match both rules. */
export function rulesOverlap(a: CosRule, b: CosRule): boolean {
  return (
    a.bucket === b.bucket &&
    eventsOverlap(a.event, b.event) &&
    (a.prefix.startsWith(b.prefix) || b.prefix.startsWith(a.prefix)) &&
    (a.suffix.endsWith(b.suffix) || b.suffix.endsWith(a.suffix))
  );
}
