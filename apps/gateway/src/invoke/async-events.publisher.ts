import type { Bus } from '@openscf/bus';
import { type Caller, topics } from '@openscf/contracts';
import type { InvokeRequest } from './invoke-request.js';

/** Puts async calls into the queue. */
export class AsyncEvents {
  constructor(
    private readonly bus: Pick<Bus, 'publish'>,
    private readonly now: () => number = Date.now,
  ) {}

  /** Resolves once the event is stored. Rejects with UnavailableError when it is not; then it must not be answered as accepted. */
  async accept(request: InvokeRequest, caller: Caller, requestId: string): Promise<void> {
    const { namespace, functionName, qualifier, event } = request;
    const value = {
      requestId,
      namespace,
      functionName,
      qualifier,
      source: 'cloud-api',
      event: event.toString(),
      acceptedAt: this.now(),
      appId: caller.appId,
      uin: caller.uin,
      origin: {},
    };
    await this.bus.publish(topics.events, [{ key: requestId, value }]);
  }
}
