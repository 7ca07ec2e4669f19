import {
  formatDateTime,
  type ActionResponse,
  type LayerVersionInfo,
  type TriggerInfo,
} from '@openscf/scf-api';
import type { ConcurrencyRecord } from '../concurrency/concurrency.types.js';
import { provisionedMbOf } from '../concurrency/quota.policy.js';
import type { FunctionRecord } from './function.types.js';

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
export function listItemOf(record: FunctionRecord, concurrency: ConcurrencyRecord | undefined): ListItem {
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
    TotalProvisionedConcurrencyMem: concurrency ? provisionedMbOf(concurrency) : 0,
    ReservedConcurrencyMem: concurrency?.reservedMb ?? null,
    AsyncRunEnable: 'FALSE',
    TraceEnable: 'FALSE',
  };
}

/** GetFunction's answer: every key of scf-api section 4, those of features that are not there with their empty values. */
export function detailOf(
  record: FunctionRecord,
  parts: { qualifier: string; triggers: TriggerInfo[]; layers: LayerVersionInfo[]; codeInfo: string },
): Detail {
  return {
    FunctionName: record.functionName,
    FunctionId: record.functionId,
    Namespace: record.namespace,
    Qualifier: parts.qualifier,
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
    CodeInfo: parts.codeInfo,
    CodeResult: 'success',
    CodeError: '',
    ErrNo: 0,
    ...statusOf(record),
    AvailableStatus: 'Available',
    ...timesOf(record),
    Triggers: parts.triggers,
    Layers: parts.layers,
    ...instanceSettingsOf(record),
    ...codeSettingsOf(record),
    ...settingsWithoutEffect(record),
  };
}

function instanceSettingsOf({ sharedDirectories, webSocketIdleMs, instanceConcurrency }: FunctionRecord) {
  return {
    CfsConfig: {
      CfsInsList: sharedDirectories.map((mount) => ({
        UserId: mount.userId,
        UserGroupId: mount.userGroupId,
        CfsId: mount.cfsId,
        MountInsId: mount.mountInsId || mount.cfsId,
        LocalMountDir: mount.localDirectory,
        RemoteMountDir: mount.remoteDirectory,
        IpAddress: '',
        MountVpcId: '',
        MountSubnetId: '',
      })),
    },
    ProtocolType: webSocketIdleMs === undefined ? '' : 'WS',
    ProtocolParams:
      webSocketIdleMs === undefined ? null : { WSParams: { IdleTimeOut: webSocketIdleMs / 1000 } },
    InstanceConcurrencyConfig:
      instanceConcurrency === 1
        ? null
        : {
            DynamicEnabled: 'FALSE',
            MaxConcurrency: instanceConcurrency,
            InstanceIsolationEnabled: 'FALSE',
            Type: 'Request-Based',
            MixNodeConfig: [],
            SessionConfig: null,
          },
  };
}

/** An image as it was given, so that tools see no difference, and beside it the digest that it was fixed to. */
function codeSettingsOf({ code, imageType, registryId }: FunctionRecord): Pick<Detail, 'ImageConfig'> {
  if (code.kind === 'package') return { ImageConfig: null };
  return {
    ImageConfig: {
      ImageType: imageType,
      ImageUri: code.imageUri,
      Digest: code.digest,
      RegistryId: registryId,
      EntryPoint: '',
      Command: code.command.join(' '),
      Args: code.args.join(' '),
      ContainerImageAccelerate: false,
      ImagePort: code.port,
    },
  };
}

function settingsWithoutEffect(record: FunctionRecord) {
  return {
    VpcConfig: { VpcId: '', SubnetId: '' },
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
    IntranetConfig: { IpFixed: 'DISABLE', IpAddress: [] },
  };
}

const ENDINGS: [language: string, endings: string[]][] = [
  ['Nodejs', ['.js', '.mjs', '.cjs']],
  ['Python', ['.py']],
  ['Php', ['.php']],
];

/** Where the source of the entry file may be in the package; none where it holds programs. */
export function entryFilesOf({ type, runtime, handler }: FunctionRecord): string[] {
  if (type === 'HTTP') return ['scf_bootstrap'];
  if (runtime === 'CustomRuntime') return ['bootstrap'];
  const file = handler.slice(0, handler.lastIndexOf('.'));
  const endings = ENDINGS.find(([language]) => runtime.startsWith(language))?.[1] ?? [];
  return endings.map((ending) => file + ending);
}
