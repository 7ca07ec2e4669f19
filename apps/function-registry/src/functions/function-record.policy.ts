import {
  CallerError,
  functionStateSchema,
  LATEST,
  newFunctionId,
  type FunctionState,
  type LayerState,
} from '@openscf/contracts';
import { errorCodes, handlerFault, webSocketIdleSeconds, type ActionRequest } from '@openscf/scf-api';
import type { CfsMount, FunctionRecord } from './function.types.js';

type Create = ActionRequest<'CreateFunction'>;
type Update = ActionRequest<'UpdateFunctionConfiguration'>;
export type Code = FunctionState['code'];

function environmentOf(environment: Create['Environment']): Record<string, string> | undefined {
  const variables = environment?.Variables;
  return variables && Object.fromEntries(variables.map(({ Key, Value }) => [Key, Value]));
}

function publicNetworkOf(request: Pick<Create, 'PublicNetConfig'>): boolean | undefined {
  const status = request.PublicNetConfig?.PublicNetStatus;
  return status && status === 'ENABLE';
}

function mountsOf({ CfsConfig }: Pick<Create, 'CfsConfig'>): CfsMount[] | undefined {
  return CfsConfig?.CfsInsList.map((mount) => ({
    cfsId: mount.CfsId,
    remoteDirectory: mount.RemoteMountDir,
    localDirectory: mount.LocalMountDir,
    uid: Number(mount.UserId),
    gid: Number(mount.UserGroupId),
    userId: mount.UserId,
    userGroupId: mount.UserGroupId,
    mountInsId: mount.MountInsId,
  }));
}

function idleMsOf({ ProtocolParams }: Pick<Create, 'ProtocolParams'>): number | undefined {
  const seconds = ProtocolParams?.WSParams?.IdleTimeOut;
  return seconds && seconds * 1000;
}

/** A function as CreateFunction describes it. Its code is stored already, so it is Active from the start. */
export function newFunction(
  request: Create,
  parts: { code: Code; layers?: LayerState[] },
  revision: number,
  now: Date,
): FunctionRecord {
  const image = request.Code.ImageConfig;
  const webSocketIdleMs =
    request.ProtocolType === 'WS' ? (idleMsOf(request) ?? webSocketIdleSeconds.default * 1000) : undefined;
  return {
    ...functionStateSchema.parse({
      functionId: newFunctionId(),
      namespace: request.Namespace,
      functionName: request.FunctionName,
      version: LATEST,
      revision,
      type: request.Type,
      status: 'Active',
      runtime: request.Runtime,
      handler: request.Handler,
      memoryMb: request.MemorySize,
      timeoutMs: request.Timeout * 1000,
      initTimeoutMs: request.InitTimeout * 1000,
      environment: environmentOf(request.Environment) ?? {},
      publicNetwork: publicNetworkOf(request) ?? true,
      code: parts.code,
      layers: parts.layers ?? [],
      instanceConcurrency: request.InstanceConcurrencyConfig?.MaxConcurrency,
      webSocketIdleMs,
    }),
    sharedDirectories: mountsOf(request) ?? [],
    description: request.Description,
    role: request.Role,
    imageType: image?.ImageType ?? '',
    registryId: image?.RegistryId ?? '',
    createdAt: now,
    modifiedAt: now,
  };
}

/** Refuses what only a web function, or one with WebSocket, can be told. */
function requireFitting(record: FunctionRecord, request: Update): void {
  if ((request.InstanceConcurrencyConfig?.MaxConcurrency ?? 1) > 1 && record.type !== 'HTTP') {
    const message = `InstanceConcurrencyConfig is only accepted for web functions (Type HTTP); "${record.functionName}" has the type ${record.type}.`;
    throw new CallerError(errorCodes.badInstanceConcurrency, message);
  }
  if (idleMsOf(request) !== undefined && record.webSocketIdleMs === undefined) {
    const message = `ProtocolParams.WSParams is only accepted for functions that were made with ProtocolType WS; "${record.functionName}" was not.`;
    throw new CallerError(errorCodes.badWebSocketParams, message);
  }
}

/** What UpdateFunctionConfiguration leaves out stays as it is. `layers` are those that the request names, looked up. */
export function withConfiguration(
  record: FunctionRecord,
  request: Update,
  layers: LayerState[] | undefined,
): FunctionRecord {
  requireFitting(record, request);
  return {
    ...record,
    description: request.Description ?? record.description,
    role: request.Role ?? record.role,
    memoryMb: request.MemorySize ?? record.memoryMb,
    timeoutMs: request.Timeout === undefined ? record.timeoutMs : request.Timeout * 1000,
    initTimeoutMs: request.InitTimeout === undefined ? record.initTimeoutMs : request.InitTimeout * 1000,
    environment: environmentOf(request.Environment) ?? record.environment,
    publicNetwork: publicNetworkOf(request) ?? record.publicNetwork,
    layers: layers ?? record.layers,
    sharedDirectories: mountsOf(request) ?? record.sharedDirectories,
    instanceConcurrency: request.InstanceConcurrencyConfig?.MaxConcurrency ?? record.instanceConcurrency,
    webSocketIdleMs: idleMsOf(request) ?? record.webSocketIdleMs,
  };
}

/** New code. An image stays an image and a package a package: the runtime of a function cannot be changed. */
export function withCode(
  record: FunctionRecord,
  code: Code,
  request: Partial<Pick<ActionRequest<'UpdateFunctionCode'>, 'Handler' | 'Code' | 'ImageConfig'>>,
): FunctionRecord {
  if (code.kind !== record.code.kind) {
    const [given, has] = code.kind === 'image' ? ['an image', 'a package'] : ['a package', 'an image'];
    const message = `Code is ${given}, which is not accepted: function "${record.functionName}" was made with ${has}.`;
    throw new CallerError(errorCodes.badCode, message);
  }
  const fault = request.Handler && handlerFault(record.runtime, record.type, request.Handler);
  if (fault) throw new CallerError(errorCodes.badHandler, `Handler ${fault}.`);
  if (code.kind === 'image' && code.port === -1 && record.type === 'HTTP') {
    const message = 'Code.ImageConfig.ImagePort -1 (a job) is not accepted with Type HTTP: it must be 9000.';
    throw new CallerError(errorCodes.badImagePort, message);
  }
  const image = (request.Code ?? request).ImageConfig;
  return {
    ...record,
    code,
    handler: request.Handler ?? record.handler,
    imageType: image?.ImageType ?? record.imageType,
    registryId: image?.RegistryId ?? record.registryId,
  };
}

/** What the other services need of the record. */
export function stateOf(record: FunctionRecord): FunctionState {
  return functionStateSchema.parse(record);
}
