import type { FunctionRecord } from './function.types.js';
import { formatDateTime, type ActionResponse, type TriggerInfo } from '@openscf/scf-api';

type Detail = ActionResponse<'GetFunction'>;
type ListItem = ActionResponse<'ListFunctions'>['Functions'][number];

function statusOf(record: FunctionRecord) {
  const failed = record.status.endsWith('Failed');
  return {
    Status: record.status,
    StatusDesc: record.statusReason,
    StatusReasons: failed
      ? [{ ErrorCode: `FailedOperation.${record.status}`, ErrorMessage: record.statusReason }]
      : [],
  };
}

function timesOf(record: FunctionRecord) {
  return {
    AddTime: formatDateTime(record.createdAt.getTime()),
    ModTime: formatDateTime(record.modifiedAt.getTime()),
  };
}

/** One entry of ListFunctions. */
export function listItemOf(record: FunctionRecord): ListItem {
  return {
    FunctionName: record.functionName,
    FunctionId: record.functionId,
    Namespace: record.namespace,
    Runtime: record.runtime,
    Type: record.type,
    ...statusOf(record),
    Description: record.description,
    Tags: [],
    ...timesOf(record),
    TotalProvisionedConcurrencyMem: 0,
    ReservedConcurrencyMem: null,
    AsyncRunEnable: 'FALSE',
    TraceEnable: 'FALSE',
  };
}

/** GetFunction's answer: every key of scf-api section 4, those of features that are not there with their empty values. */
export function detailOf(
  record: FunctionRecord,
  qualifier: string,
  triggers: TriggerInfo[],
  codeInfo: string,
): Detail {
  return {
    FunctionName: record.functionName,
    FunctionId: record.functionId,
    Namespace: record.namespace,
    Qualifier: qualifier,
    FunctionVersion: record.version,
    Type: record.type,
    Runtime: record.runtime,
    Handler: record.handler,
    Description: record.description,
    MemorySize: record.memoryMb,
    Timeout: record.timeoutMs / 1000,
    InitTimeout: record.initTimeoutMs / 1000,
    Environment: { Variables: Object.entries(record.environment).map(([Key, Value]) => ({ Key, Value })) },
    Role: record.role,
    CodeSize: record.code.sizeBytes,
    CodeInfo: codeInfo,
    CodeResult: 'success',
    CodeError: '',
    ErrNo: 0,
    ...statusOf(record),
    AvailableStatus: 'Available',
    ...timesOf(record),
    Triggers: triggers,
    ...settingsWithoutEffect(record),
  };
}

function settingsWithoutEffect(record: FunctionRecord) {
  return {
    VpcConfig: { VpcId: '', SubnetId: '' },
    Layers: [],
    Tags: [],
    ClsLogsetId: '',
    ClsTopicId: '',
    DeadLetterConfig: { Type: '', Name: '', FilterType: '' },
    PublicNetConfig: {
      PublicNetStatus: record.publicNetwork ? 'ENABLE' : 'DISABLE',
      EipConfig: { EipStatus: 'DISABLE', EipAddress: [] },
    },
    EipConfig: { EipFixed: 'FALSE', Eips: [] },
    AccessInfo: { Host: '', Vip: '' },
    UseGpu: 'FALSE',
    InstallDependency: 'FALSE',
    L5Enable: 'FALSE',
    OnsEnable: 'FALSE',
    DnsCache: 'FALSE',
    AsyncRunEnable: 'FALSE',
    TraceEnable: 'FALSE',
    CfsConfig: { CfsInsList: [] },
    ImageConfig: null,
    ProtocolType: '',
    ProtocolParams: null,
    InstanceConcurrencyConfig: null,
    IntranetConfig: { IpFixed: 'DISABLE', IpAddress: [] },
  };
}

/** Where the source of the entry file may be in the package. */
export function entryFilesOf({ runtime, handler }: FunctionRecord): string[] {
  const file = handler.slice(0, handler.lastIndexOf('.'));
  const endings = runtime.startsWith('Python') ? ['.py'] : ['.js', '.mjs', '.cjs'];
  return endings.map((ending) => file + ending);
}
