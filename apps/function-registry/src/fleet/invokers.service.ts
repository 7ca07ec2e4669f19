import { Injectable } from '@nestjs/common';
import { Bus, type CompactedTable } from '@openscf/bus';
import { INVOKER_LOST_AFTER_MS, topics, type InvokerState } from '@openscf/contracts';

/** What the invokers that are alive say of themselves. */
@Injectable()
export class Invokers {
  /** Read from the start, so that the first deployment already knows who is there. */
  private readonly table: CompactedTable<InvokerState>;

  constructor(bus: Bus) {
    this.table = bus.table(topics.invokers);
  }

  /** Empty while none has been heard of, also because the topic has not been read yet. */
  live(): InvokerState[] {
    const since = Date.now() - INVOKER_LOST_AFTER_MS;
    return [...this.table.values()].filter(({ sentAt }) => sentAt >= since);
  }
}
