import type { AsyncEvent, TimerTrigger } from '@openscf/contracts';
import { asyncEventOf, type Account } from '../../publishing/async-event.factory.js';
import { requestIdFrom } from '../../publishing/request-id.policy.js';

/** SCF's event of a timer. `Time` is the tick, in UTC and whole seconds. */
export interface TimerEvent {
  Type: 'Timer';
  TriggerName: string;
  Time: string;
  Message: string;
}

/** The event of one tick; the same tick of the same trigger always has the same request id. */
export function timerEventOf(
  trigger: TimerTrigger,
  account: Account,
  tickMs: number,
  nowMs: number,
): AsyncEvent {
  const time = `${new Date(tickMs).toISOString().slice(0, 19)}Z`;
  const event: TimerEvent = {
    Type: 'Timer',
    TriggerName: trigger.triggerName,
    Time: time,
    Message: trigger.customArgument,
  };
  return asyncEventOf(trigger, account, {
    requestId: requestIdFrom('timer', trigger.functionId, trigger.triggerName, String(tickMs)),
    event,
    origin: { tick: time },
    acceptedAt: nowMs,
  });
}
