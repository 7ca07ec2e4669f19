import { Injectable, type OnApplicationBootstrap } from '@nestjs/common';
import { Bus } from '@openscf/bus';
import { INVOKER_LOST_AFTER_MS, topics, type InvokerState } from '@openscf/contracts';

/** What the invokers that are alive say of themselves. */
@Injectable()
export class Invokers implements OnApplicationBootstrap {
  constructor(private readonly bus: Bus) {}

  /** Begins to read, so that the first deployment already knows who is there. */
  onApplicationBootstrap(): void {
    this.live();
  }

  /** Empty while none has been heard of, also because the topic has not been read yet. */
  live(): InvokerState[] {
    const since = Date.now() - INVOKER_LOST_AFTER_MS;
    return [...this.bus.table(topics.invokers).values()].filter(({ sentAt }) => sentAt >= since);
  }
}
