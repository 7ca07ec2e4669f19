import { CallerError, LATEST, type FunctionState, type TriggerState } from '@openscf/contracts';
import {
  errorCodes,
  mergeTriggerDesc,
  parseHttpDesc,
  type ActionRequest,
  type HttpDesc,
} from '@openscf/scf-api';
import { ckafkaPartOf } from './kinds/ckafka.policy.js';
import { bucketOf, cosRuleOf, cosStateName } from './kinds/cos.policy.js';
import { httpPartOf } from './kinds/http.policy.js';
import { timerCronOf } from './kinds/timer.policy.js';
import type { TriggerRecord } from './trigger.types.js';

type Distributed<T, K extends PropertyKey> = T extends unknown ? Omit<T, K> : never;
/** What a request says of a trigger by itself: its type's part, and the name that tells it apart. */
export type TriggerDefinition = Distributed<
  TriggerState,
  'namespace' | 'functionName' | 'functionId' | 'qualifier' | 'enabled' | 'revision' | 'createdAt'
>;

/** What a definition is read against; `urlId` is that of a function URL, an old one or a new one. */
interface Surroundings {
  platformBucket: string;
  now: Date;
  urlId: string;
}

type Described = Pick<
  ActionRequest<'CreateTrigger'>,
  'Type' | 'TriggerName' | 'TriggerDesc' | 'CustomArgument'
>;

/** Reads and checks name and TriggerDesc by type. */
export function definitionOf(
  request: Described,
  { platformBucket, now, urlId }: Surroundings,
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
    case 'http':
      return { type: 'http', triggerName, ...httpPartOf(parseHttpDesc(desc), urlId) };
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
    ...(definition.type === 'http' && { httpDesc: parseHttpDesc(request.TriggerDesc) }),
    createdAt: now,
    modifiedAt: now,
  };
}

/** A trigger that is switched on or off; times count from when it was switched on last. */
export function switched(record: TriggerRecord, enabled: boolean, now: Date): TriggerRecord {
  const { state } = record;
  if (state.enabled === enabled) return record;
  return { ...record, state: { ...state, enabled, ...(enabled && { enabledAt: now.getTime() }) } };
}

/** Where a consumer of Kafka stands is not changed by an update: that would lose or repeat what lies between. */
function requireSamePosition(before: TriggerState, after: TriggerDefinition): void {
  if (before.type !== 'ckafka' || after.type !== 'ckafka') return;
  for (const [field, old, given] of [
    ['offset', before.offset, after.offset],
    ['consumerGroupName', before.consumerGroup, after.consumerGroup],
  ] as const) {
    if (old === given) continue;
    const message = `TriggerDesc.${field} "${given}" is not accepted: it is "${old}" and cannot be changed; delete the trigger and make it again.`;
    throw new CallerError(errorCodes.badCkafka, message);
  }
}

function changedDefinition(
  { state, httpDesc }: TriggerRecord,
  described: Described,
  surroundings: Omit<Surroundings, 'urlId'>,
): { definition: TriggerDefinition; httpDesc: HttpDesc | undefined } {
  const urlId = state.type === 'http' ? state.urlId : '';
  const definition = definitionOf(described, { ...surroundings, urlId });
  requireSamePosition(state, definition);
  return { definition, httpDesc: state.type === 'http' ? parseHttpDesc(described.TriggerDesc) : httpDesc };
}

/** The trigger as UpdateTrigger wants it: what the request leaves out stays, also within a JSON description. */
export function withUpdate(
  before: TriggerRecord,
  request: ActionRequest<'UpdateTrigger'>,
  ownDesc: string,
  surroundings: Omit<Surroundings, 'urlId'>,
): TriggerRecord {
  const { now } = surroundings;
  const customArgument = request.CustomArgument ?? before.customArgument;
  const enabled = request.Enable === undefined ? before.state.enabled : request.Enable === 'OPEN';
  const record = { ...switched(before, enabled, now), customArgument, modifiedAt: now };
  record.description = request.Description ?? before.description;
  if (record.state.type === 'timer') record.state = { ...record.state, customArgument };
  if (request.TriggerDesc === '') return record;
  const desc =
    request.Type === 'timer'
      ? request.TriggerDesc
      : mergeTriggerDesc(request.Type, ownDesc, request.TriggerDesc);
  const described = {
    Type: request.Type,
    TriggerName: request.TriggerName,
    TriggerDesc: desc,
    CustomArgument: customArgument,
  };
  const { definition, httpDesc } = changedDefinition(before, described, surroundings);
  return { ...record, state: { ...record.state, ...definition } as TriggerState, httpDesc };
}
