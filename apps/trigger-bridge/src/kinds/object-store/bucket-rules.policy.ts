import { OWN_RULE_PREFIX, type NotificationRule } from '@openscf/object-store';

const EVENTS = ['s3:ObjectCreated:*', 's3:ObjectRemoved:*'];

/** MinIO's targets, made by `infra/`: one reports at once and loses while Kafka is away, the other is late and loses nothing. */
const RULES: readonly NotificationRule[] = [
  { id: `${OWN_RULE_PREFIX}immediate`, arn: 'arn:minio:sqs::IMMEDIATE:kafka', events: EVENTS },
  { id: `${OWN_RULE_PREFIX}durable`, arn: 'arn:minio:sqs::DURABLE:kafka', events: EVENTS },
];

/**
 * The platform's rules of a bucket: both targets when a trigger wants them, none otherwise.
 * @param current every rule of the bucket, also those of others, which do not count
 * @returns undefined when the bucket is as it should be
 */
export function bucketRules(
  current: readonly NotificationRule[],
  wanted: boolean,
): readonly NotificationRule[] | undefined {
  const ours = current.filter((rule) => rule.id.startsWith(OWN_RULE_PREFIX));
  if (!wanted) return ours.length === 0 ? undefined : [];
  const whole =
    ours.length === RULES.length && RULES.every((rule) => ours.some((other) => isWhole(other, rule.arn)));
  return whole ? undefined : RULES;
}

function isWhole(rule: NotificationRule, arn: string): boolean {
  // The store may list `s3:ObjectCreated:*` as it was given or as the names that it stands for: either reports a put.
  const reports = (kind: string): boolean =>
    rule.events.some((event) => event.startsWith(`s3:Object${kind}:`));
  return rule.arn === arn && reports('Created') && reports('Removed') && !rule.prefix && !rule.suffix;
}
