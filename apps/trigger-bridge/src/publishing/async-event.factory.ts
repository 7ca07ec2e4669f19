import type { AsyncEvent, TriggerState } from '@openscf/contracts';

/** The account on whose behalf the triggers of this installation fire. */
export interface Account {
  appId: string;
  uin: string;
  region: string;
}

export interface EventOfTrigger {
  requestId: string;
  /** The event that the function gets; it becomes JSON text. */
  event: unknown;
  /** What caused it, for people. */
  origin: Record<string, string>;
  acceptedAt: number;
}

/** The async event that a trigger sends to its function. */
export function asyncEventOf(trigger: TriggerState, account: Account, of: EventOfTrigger): AsyncEvent {
  return {
    requestId: of.requestId,
    namespace: trigger.namespace,
    functionName: trigger.functionName,
    qualifier: trigger.qualifier,
    source: trigger.type,
    event: JSON.stringify(of.event),
    acceptedAt: of.acceptedAt,
    appId: account.appId,
    uin: account.uin,
    origin: { trigger: trigger.triggerName, ...of.origin },
  };
}
