import type { NotificationConfig } from 'minio';
import type { NotificationRule } from './object-store.types.js';

/** Ids of the platform's own rules begin with it; every other rule belongs to somebody else. */
export const OWN_RULE_PREFIX = 'openscf-';

interface FilterRule {
  Name: string;
  Value: string;
}
interface Entry {
  Id: string;
  Event: string[];
  Filter: FilterRule[];
}
/** What the store answers, with every filter as a flat list. */
export interface NotificationState {
  TopicConfiguration: (Entry & { Topic: string })[];
  QueueConfiguration: (Entry & { Queue: string })[];
  CloudFunctionConfiguration: (Entry & { CloudFunction: string })[];
}

function filterValue(entry: Entry, name: string): string | undefined {
  return entry.Filter.find((rule) => rule.Name.toLowerCase() === name)?.Value;
}

export function readRules(state: NotificationState): NotificationRule[] {
  return state.QueueConfiguration.map((entry) => {
    const prefix = filterValue(entry, 'prefix');
    const suffix = filterValue(entry, 'suffix');
    return {
      id: entry.Id,
      arn: entry.Queue,
      events: entry.Event,
      ...(prefix !== undefined && { prefix }),
      ...(suffix !== undefined && { suffix }),
    };
  });
}

/** The form that is written: filters nested, absent when empty. */
function written(entry: Entry): Record<string, unknown> {
  const { Filter, ...rest } = entry;
  return Filter.length === 0 ? rest : { ...rest, Filter: { S3Key: { FilterRule: Filter } } };
}

function entryOf(rule: NotificationRule): Entry & { Queue: string } {
  if (!rule.id.startsWith(OWN_RULE_PREFIX)) {
    throw new TypeError(`rule id is "${rule.id}"; it accepts ids that begin with "${OWN_RULE_PREFIX}"`);
  }
  const Filter = [
    ...(rule.prefix ? [{ Name: 'prefix', Value: rule.prefix }] : []),
    ...(rule.suffix ? [{ Name: 'suffix', Value: rule.suffix }] : []),
  ];
  return { Id: rule.id, Queue: rule.arn, Event: [...rule.events], Filter };
}

/** The bucket's new configuration: what others have set stays, ours is replaced by `rules`. */
export function applyRules(state: NotificationState, rules: readonly NotificationRule[]): NotificationConfig {
  const others = state.QueueConfiguration.filter((entry) => !entry.Id.startsWith(OWN_RULE_PREFIX));
  const config = {
    TopicConfiguration: state.TopicConfiguration.map(written),
    QueueConfiguration: [...others, ...rules.map(entryOf)].map(written),
    CloudFunctionConfiguration: state.CloudFunctionConfiguration.map(written),
  };
  return config as unknown as NotificationConfig;
}
