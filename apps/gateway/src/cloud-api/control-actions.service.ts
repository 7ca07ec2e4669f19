import type { CompactedTable, Requester } from '@openscf/bus';
import {
  CallerError,
  type Caller,
  type CommandReply,
  PlatformError,
  type Upload,
  type Written,
} from '@openscf/contracts';
import { type Action, type ActionName, actions, errorCodes } from '@openscf/scf-api';
import type { Logger } from '@openscf/telemetry';

/** The tables of this gateway in which a change must be seen before its call returns, by topic. */
export type SeenTables = ReadonlyMap<string, Pick<CompactedTable<unknown>, 'waitFor'>>;

export interface ControlActionsOptions {
  requester: Pick<Requester, 'request'>;
  tables: SeenTables;
  logger: Logger;
}

export interface ControlCall {
  action: ActionName;
  requestId: string;
  caller: Caller;
  /** Checked against the action's shape, without a zip. */
  request: Record<string, unknown>;
  upload?: Upload | undefined;
}

/** Code may have to be unpacked and looked at before the reply, or an image's registry asked. */
const CODE_TIMEOUT_MS = 40_000;
const TIMEOUT_MS = 10_000;
/** A call that has returned is seen by the next one. After so long, the change is certain all the same, only not yet here. */
const SEEN_TIMEOUT_MS = 5_000;

/** The owner of an action refused it; code and message are the owner's. */
class ActionRefusedError extends PlatformError {
  constructor(code: string, message: string) {
    super(message, { code, fault: 'caller', retryable: false });
  }
}

/** Actions that another service owns: command there, reply here. */
export class ControlActions {
  constructor(private readonly options: ControlActionsOptions) {}

  /** The action's response. Throws what the owner refused, and UnavailableError when owner or Kafka are away. */
  async run(call: ControlCall): Promise<Record<string, unknown>> {
    const { action, requestId, caller, request, upload } = call;
    const { owner, response, maxZipBytes }: Action = actions[action];
    if (owner === 'gateway')
      throw new CallerError(errorCodes.unknownAction, `The action ${action} has no owner.`);
    const timeoutMs = maxZipBytes === undefined ? TIMEOUT_MS : CODE_TIMEOUT_MS;
    const command = { requestId, caller, request, ...(upload && { upload }) };
    const reply: CommandReply = await this.options.requester.request(owner, action, command, { timeoutMs });
    if (!reply.ok) throw new ActionRefusedError(reply.code, reply.message);
    const fits = response.safeParse(reply.response);
    if (!fits.success) {
      const issues = fits.error.issues.map((issue) => `${issue.path.join('.')}: ${issue.message}`);
      this.options.logger.error(
        { requestId, action, issues },
        'response does not have the shape of its action',
      );
    }
    await this.seen(reply.written, requestId);
    return reply.response;
  }

  private async seen(written: readonly Written[], requestId: string): Promise<void> {
    const waits = written.map(async ({ topic, key, revision }) => {
      const table = this.options.tables.get(topic);
      if (table === undefined || (await table.waitFor({ key, revision }, SEEN_TIMEOUT_MS))) return;
      this.options.logger.warn({ requestId, topic, key, revision }, 'change not seen in time');
    });
    await Promise.all(waits);
  }
}
