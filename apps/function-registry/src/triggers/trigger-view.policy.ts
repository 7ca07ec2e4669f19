import { formatDateTime, type TriggerInfo } from '@openscf/scf-api';
import type { FunctionState } from '@openscf/contracts';
import { netConfigOf, type UrlPlace } from './kinds/http.policy.js';
import type { TriggerRecord } from './trigger.types.js';

/** What a description tells of the function that the trigger belongs to. */
type TriggerOwner = Pick<FunctionState, 'webSocketIdleMs'>;

/** Where the cloud's host forms of buckets and function URLs come from. */
export interface TriggerPlace extends UrlPlace {
  region: string;
}

/** TriggerDesc as it is read back (scf-api section 4, "TriggerDesc per type"). */
export function triggerDescOf(record: TriggerRecord, owner: TriggerOwner, place: TriggerPlace): string {
  const { state } = record;
  const { appId, region } = place;
  switch (state.type) {
    case 'timer':
      return JSON.stringify({ cron: state.cron });
    case 'ckafka':
      return JSON.stringify({
        maxMsgNum: state.maxMessages,
        offset: state.offset,
        retry: state.retries,
        timeOut: state.maxWaitMs / 1000,
        consumerGroupName: state.consumerGroup,
      });
    case 'cos':
      return JSON.stringify({
        bucketUrl: `${state.bucket}-${appId}.cos.${region}.myqcloud.com`,
        event: state.event,
        filter: { Prefix: state.prefix, Suffix: state.suffix },
      });
    case 'http': {
      const desc = record.httpDesc ?? {
        AuthType: state.authType,
        NetConfig: { EnableIntranet: false, EnableExtranet: true },
        CorsConfig: undefined,
      };
      const webSocket = owner.webSocketIdleMs !== undefined;
      return JSON.stringify({ ...desc, NetConfig: netConfigOf(desc, state.urlId, place, webSocket) });
    }
  }
}

export function triggerInfoOf(record: TriggerRecord, owner: TriggerOwner, place: TriggerPlace): TriggerInfo {
  return {
    Type: record.state.type,
    TriggerName: record.triggerName,
    TriggerDesc: triggerDescOf(record, owner, place),
    Enable: record.state.enabled ? 1 : 0,
    AvailableStatus: 'Available',
    Qualifier: record.state.qualifier,
    AddTime: formatDateTime(record.createdAt.getTime()),
    ModTime: formatDateTime(record.modifiedAt.getTime()),
    CustomArgument: record.customArgument,
    Description: record.description,
    BindStatus: 'on',
    TriggerAttribute: 'single',
    ResourceId: '',
  };
}
