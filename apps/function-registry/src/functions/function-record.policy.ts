import {
  functionStateSchema,
  LATEST,
  newFunctionId,
  type CodePackage,
  type FunctionState,
} from '@openscf/contracts';
import type { ActionRequest } from '@openscf/scf-api';
import type { FunctionRecord } from './function.types.js';

type Environment = ActionRequest<'CreateFunction'>['Environment'];

function environmentOf(environment: Environment): Record<string, string> | undefined {
  const variables = environment?.Variables;
  return variables && Object.fromEntries(variables.map(({ Key, Value }) => [Key, Value]));
}

function publicNetworkOf(
  request: Pick<ActionRequest<'CreateFunction'>, 'PublicNetConfig'>,
): boolean | undefined {
  const status = request.PublicNetConfig?.PublicNetStatus;
  return status && status === 'ENABLE';
}

/** A function as CreateFunction describes it. Its code is stored already, so it is Active from the start. */
export function newFunction(
  request: ActionRequest<'CreateFunction'>,
  code: CodePackage,
  revision: number,
  now: Date,
): FunctionRecord {
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
      code,
    }),
    description: request.Description,
    role: request.Role,
    createdAt: now,
    modifiedAt: now,
  };
}

/** What UpdateFunctionConfiguration leaves out stays as it is. */
export function withConfiguration(
  record: FunctionRecord,
  request: ActionRequest<'UpdateFunctionConfiguration'>,
): FunctionRecord {
  return {
    ...record,
    description: request.Description ?? record.description,
    role: request.Role ?? record.role,
    memoryMb: request.MemorySize ?? record.memoryMb,
    timeoutMs: request.Timeout === undefined ? record.timeoutMs : request.Timeout * 1000,
    initTimeoutMs: request.InitTimeout === undefined ? record.initTimeoutMs : request.InitTimeout * 1000,
    environment: environmentOf(request.Environment) ?? record.environment,
    publicNetwork: publicNetworkOf(request) ?? record.publicNetwork,
  };
}

export function withCode(
  record: FunctionRecord,
  code: CodePackage,
  handler: string | undefined,
): FunctionRecord {
  return { ...record, code: { kind: 'package', ...code }, handler: handler ?? record.handler };
}

/** What the other services need of the record. */
export function stateOf(record: FunctionRecord): FunctionState {
  return functionStateSchema.parse(record);
}
