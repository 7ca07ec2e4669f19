import type { Bus } from '@openscf/bus';
import { topics } from '@openscf/contracts';
import type { Dispatcher } from '@openscf/dispatch';
import type { OnDrain, Readiness } from '@openscf/service-kit';
import type { TriggerFollower } from './triggers/trigger.follower.js';

/** Left of the time to end, for connections to close. */
const CLOSING_MS = 1_000;

/** The life of the bridge: reads its tables, follows the triggers, and settles what is under way at the end. */
export class BridgeService implements OnDrain {
  constructor(
    private readonly bus: Bus,
    private readonly follower: TriggerFollower,
    private readonly dispatcher: Dispatcher,
    readiness: Readiness,
  ) {
    readiness.add('kafka', () => bus.isReachable());
  }

  /** Resolves when every trigger that is known has been taken over. */
  async start(): Promise<void> {
    await Promise.all([this.bus.table(topics.functions).ready, this.bus.table(topics.invokers).ready]);
    await this.follower.start();
  }

  async drain(deadlineMs: number): Promise<void> {
    await this.follower.stop(Math.max(deadlineMs - Date.now() - CLOSING_MS, 0));
    this.dispatcher.close();
  }
}
