import type { CompactedTable } from '@openscf/bus';
import type { FunctionState, HttpTrigger, TriggerState } from '@openscf/contracts';
import type { RouteTable } from '../routes/route-table.js';
import type { UrlAddress } from './url-address.policy.js';
import { UrlError } from './url.errors.js';

/** What is used of the table of triggers. */
export type TriggerTable = Pick<CompactedTable<TriggerState>, 'values' | 'onChange'>;

/** What stands behind a function URL. */
export interface UrlRoute {
  readonly trigger: HttpTrigger;
  readonly state: FunctionState;
}

/** Function URLs by their id, from the table of triggers. */
export class UrlTable {
  private readonly byId = new Map<string, HttpTrigger>();

  constructor(
    triggers: TriggerTable,
    private readonly routes: Pick<RouteTable, 'resolve'>,
    private readonly appId: string,
  ) {
    for (const trigger of triggers.values()) this.apply(trigger, undefined);
    triggers.onChange((_key, trigger, previous) => this.apply(trigger, previous));
  }

  /** Throws a UrlError for a URL that is not there or switched off, and a CallerError for a function that cannot be called. */
  trigger({ appId, urlId }: UrlAddress): HttpTrigger {
    const trigger = appId === this.appId ? this.byId.get(urlId) : undefined;
    if (trigger === undefined)
      throw new UrlError(404, 'ResourceNotFound.Trigger', `There is no function URL ${appId}-${urlId} here.`);
    if (!trigger.enabled) {
      const message = `The function URL ${appId}-${urlId} is switched off: its trigger ${JSON.stringify(trigger.triggerName)} must be enabled.`;
      throw new UrlError(403, 'FailedOperation.FunctionStatusError', message);
    }
    return trigger;
  }

  /** Throws a CallerError for a function that cannot be called now. */
  function({ namespace, functionName, qualifier }: HttpTrigger): FunctionState {
    return this.routes.resolve(namespace, functionName, qualifier);
  }

  private apply(trigger: TriggerState | undefined, previous: TriggerState | undefined): void {
    if (previous?.type === 'http' && this.byId.get(previous.urlId) === previous)
      this.byId.delete(previous.urlId);
    if (trigger?.type === 'http') this.byId.set(trigger.urlId, trigger);
  }
}
