import { formatDateTime, type TriggerInfo } from '@openscf/scf-api';
import type { TriggerRecord } from './trigger.types.js';

/** Where the cloud's host form of a bucket's name comes from. */
export interface BucketHost {
  appId: string;
  region: string;
}

/** TriggerDesc as it is read back (scf-api section 4, "TriggerDesc per type"). */
export function triggerDescOf({ state }: TriggerRecord, { appId, region }: BucketHost): string {
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
  }
}

export function triggerInfoOf(record: TriggerRecord, host: BucketHost): TriggerInfo {
  return {
    Type: record.state.type,
    TriggerName: record.triggerName,
    TriggerDesc: triggerDescOf(record, host),
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
