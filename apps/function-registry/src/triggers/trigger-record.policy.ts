import { LATEST, type FunctionState, type TriggerState } from '@openscf/contracts';
import type { ActionRequest } from '@openscf/scf-api';
import { ckafkaPartOf } from './kinds/ckafka.policy.js';
import { bucketOf, cosRuleOf, cosStateName } from './kinds/cos.policy.js';
import { timerCronOf } from './kinds/timer.policy.js';
import type { TriggerRecord } from './trigger.types.js';

type Distributed<T, K extends PropertyKey> = T extends unknown ? Omit<T, K> : never;
/** What a request says of a trigger by itself: its type's part, and the name that tells it apart. */
export type TriggerDefinition = Distributed<
  TriggerState,
  'namespace' | 'functionName' | 'functionId' | 'qualifier' | 'enabled' | 'revision' | 'createdAt'
>;

/** Reads and checks name and TriggerDesc by type. */
export function definitionOf(
  request: ActionRequest<'CreateTrigger'>,
  { platformBucket, now }: { platformBucket: string; now: Date },
): TriggerDefinition {
  const { TriggerName: triggerName, TriggerDesc: desc, CustomArgument: customArgument } = request;
  switch (request.Type) {
    case 'timer':
      return { type: 'timer', triggerName, cron: timerCronOf(desc, now), customArgument };
    case 'ckafka':
      return { type: 'ckafka', triggerName, ...ckafkaPartOf(triggerName, desc) };
    case 'cos': {
      const rule = cosRuleOf(bucketOf(triggerName, platformBucket), desc);
      return { type: 'cos', triggerName: cosStateName(rule), ...rule };
    }
  }
}

export function newTrigger(
  request: ActionRequest<'CreateTrigger'>,
  definition: TriggerDefinition,
  owner: FunctionState,
  revision: number,
  now: Date,
): TriggerRecord {
  return {
    state: {
      ...definition,
      namespace: owner.namespace,
      functionName: owner.functionName,
      functionId: owner.functionId,
      qualifier: request.Qualifier || LATEST,
      enabled: request.Enable === 'OPEN',
      revision,
      createdAt: now.getTime(),
    },
    triggerName: request.TriggerName,
    description: request.Description,
    customArgument: request.CustomArgument,
    createdAt: now,
    modifiedAt: now,
  };
}
