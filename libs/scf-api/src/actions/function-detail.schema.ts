import { functionStatusSchema } from '@openscf/contracts';
import { z } from 'zod';
import { layerVersionInfoSchema } from './layers.schema.js';
import { triggerInfoSchema } from './triggers.schema.js';

/** Responses of the actions on functions (scf-api section 4). Switches are the texts "TRUE" and "FALSE". */

const int = z.number().int();
const text = z.string();
const statusReasons = z.array(z.object({ ErrorCode: text, ErrorMessage: text }));
const tags = z.array(z.object({ Key: text, Value: text }));

export const emptyResponse = z.object({});

export const getFunctionResponse = z.object({
  FunctionName: text,
  FunctionId: text,
  Namespace: text,
  Qualifier: text,
  FunctionVersion: text,
  Type: text,
  Runtime: text,
  Handler: text,
  Description: text,
  MemorySize: int,
  Timeout: int,
  InitTimeout: int,
  Environment: z.object({ Variables: z.array(z.object({ Key: text, Value: text })) }),
  Role: text,
  VpcConfig: z.object({ VpcId: text, SubnetId: text }),
  CodeSize: int,
  CodeInfo: text,
  CodeResult: text,
  CodeError: text,
  ErrNo: int,
  Status: functionStatusSchema,
  StatusDesc: text,
  StatusReasons: statusReasons,
  AvailableStatus: text,
  AddTime: text,
  ModTime: text,
  Triggers: z.array(triggerInfoSchema),
  Layers: z.array(layerVersionInfoSchema),
  Tags: tags,
  ClsLogsetId: text,
  ClsTopicId: text,
  DeadLetterConfig: z.object({ Type: text, Name: text, FilterType: text }),
  PublicNetConfig: z.object({
    PublicNetStatus: text,
    EipConfig: z.object({ EipStatus: text, EipAddress: z.array(text) }),
  }),
  EipConfig: z.object({ EipFixed: text, Eips: z.array(text) }),
  AccessInfo: z.object({ Host: text, Vip: text }),
  UseGpu: text,
  InstallDependency: text,
  L5Enable: text,
  OnsEnable: text,
  DnsCache: text,
  AsyncRunEnable: text,
  TraceEnable: text,
  CfsConfig: z.object({
    CfsInsList: z.array(
      z.object({
        UserId: text,
        UserGroupId: text,
        CfsId: text,
        MountInsId: text,
        LocalMountDir: text,
        RemoteMountDir: text,
        IpAddress: text,
        MountVpcId: text,
        MountSubnetId: text,
      }),
    ),
  }),
  ImageConfig: z
    .object({
      ImageType: text,
      ImageUri: text,
      /** Ours: what ImageUri meant when it was deployed. */
      Digest: text,
      RegistryId: text,
      EntryPoint: text,
      Command: text,
      Args: text,
      ContainerImageAccelerate: z.boolean(),
      ImagePort: int,
    })
    .nullable(),
  ProtocolType: text,
  ProtocolParams: z.object({ WSParams: z.object({ IdleTimeOut: int }) }).nullable(),
  InstanceConcurrencyConfig: z
    .object({ DynamicEnabled: text, MaxConcurrency: int, InstanceIsolationEnabled: text, Type: text })
    .nullable(),
  IntranetConfig: z.object({ IpFixed: text, IpAddress: z.array(text) }),
});

export const functionListItemSchema = z.object({
  FunctionName: text,
  FunctionId: text,
  Namespace: text,
  Runtime: text,
  Type: text,
  Status: functionStatusSchema,
  StatusDesc: text,
  StatusReasons: statusReasons,
  Description: text,
  Tags: tags,
  AddTime: text,
  ModTime: text,
  TotalProvisionedConcurrencyMem: int,
  ReservedConcurrencyMem: int.nullable(),
  AsyncRunEnable: text,
  TraceEnable: text,
});

export const listFunctionsResponse = z.object({
  Functions: z.array(functionListItemSchema),
  TotalCount: int,
});

export const getFunctionAddressResponse = z.object({ Url: text, CodeSha256: text });
