import type { z } from 'zod';
import { zipBytes } from '../limits.js';
import { getAccountRequest, getAccountResponse } from './account.schema.js';
import {
  deleteProvisionedRequest,
  getProvisionedRequest,
  getProvisionedResponse,
  getReservedResponse,
  putProvisionedRequest,
  putReservedRequest,
  reservedRequest,
} from './concurrency.schema.js';
import {
  emptyResponse,
  getFunctionAddressResponse,
  getFunctionResponse,
  listFunctionsResponse,
} from './function-detail.schema.js';
import {
  createFunctionRequest,
  deleteFunctionRequest,
  getFunctionAddressRequest,
  getFunctionRequest,
  listFunctionsRequest,
  updateFunctionCodeRequest,
  updateFunctionConfigurationRequest,
} from './functions.schema.js';
import { invokeFunctionRequest, invokeRequest, invokeResponse } from './invoke.schema.js';
import {
  getLayerVersionResponse,
  layerVersionRequest,
  listLayersRequest,
  listLayersResponse,
  listLayerVersionsRequest,
  listLayerVersionsResponse,
  publishLayerVersionRequest,
  publishLayerVersionResponse,
} from './layers.schema.js';
import {
  getFunctionLogsRequest,
  getFunctionLogsResponse,
  getRequestStatusRequest,
  getRequestStatusResponse,
} from './logs.schema.js';
import {
  createTriggerRequest,
  createTriggerResponse,
  deleteTriggerRequest,
  listTriggersRequest,
  listTriggersResponse,
  updateTriggerRequest,
  updateTriggerStatusRequest,
} from './triggers.schema.js';
import {
  deleteFunctionVersionRequest,
  listVersionByFunctionRequest,
  listVersionByFunctionResponse,
  publishVersionRequest,
  publishVersionResponse,
} from './versions.schema.js';

/** Who answers an action: a service behind the command topic, or the gateway itself. */
export type ActionOwner = 'function-registry' | 'log' | 'gateway';

export interface Action<Request extends z.ZodType = z.ZodType, Response extends z.ZodType = z.ZodType> {
  owner: ActionOwner;
  request: Request;
  /** The response without RequestId. */
  response: Response;
  /** The action takes a zip of at most so many bytes, which the gateway streams into the object store. */
  maxZipBytes?: number;
}

function registry<Q extends z.ZodType, R extends z.ZodType>(request: Q, response: R, maxZipBytes?: number) {
  return { owner: 'function-registry' as const, request, response, ...(maxZipBytes && { maxZipBytes }) };
}

/** The actions that this version answers. One more action is one more line here and a handler at its owner. */
export const actions = {
  CreateFunction: registry(createFunctionRequest, emptyResponse, zipBytes.create),
  GetFunction: registry(getFunctionRequest, getFunctionResponse),
  ListFunctions: registry(listFunctionsRequest, listFunctionsResponse),
  UpdateFunctionCode: registry(updateFunctionCodeRequest, emptyResponse, zipBytes.update),
  UpdateFunctionConfiguration: registry(updateFunctionConfigurationRequest, emptyResponse),
  DeleteFunction: registry(deleteFunctionRequest, emptyResponse),
  GetFunctionAddress: registry(getFunctionAddressRequest, getFunctionAddressResponse),
  PublishVersion: registry(publishVersionRequest, publishVersionResponse),
  ListVersionByFunction: registry(listVersionByFunctionRequest, listVersionByFunctionResponse),
  DeleteFunctionVersion: registry(deleteFunctionVersionRequest, emptyResponse),
  PublishLayerVersion: registry(publishLayerVersionRequest, publishLayerVersionResponse, zipBytes.create),
  GetLayerVersion: registry(layerVersionRequest, getLayerVersionResponse),
  ListLayers: registry(listLayersRequest, listLayersResponse),
  ListLayerVersions: registry(listLayerVersionsRequest, listLayerVersionsResponse),
  DeleteLayerVersion: registry(layerVersionRequest, emptyResponse),
  PutReservedConcurrencyConfig: registry(putReservedRequest, emptyResponse),
  GetReservedConcurrencyConfig: registry(reservedRequest, getReservedResponse),
  DeleteReservedConcurrencyConfig: registry(reservedRequest, emptyResponse),
  PutProvisionedConcurrencyConfig: registry(putProvisionedRequest, emptyResponse),
  GetProvisionedConcurrencyConfig: registry(getProvisionedRequest, getProvisionedResponse),
  DeleteProvisionedConcurrencyConfig: registry(deleteProvisionedRequest, emptyResponse),
  GetAccount: registry(getAccountRequest, getAccountResponse),
  CreateTrigger: registry(createTriggerRequest, createTriggerResponse),
  ListTriggers: registry(listTriggersRequest, listTriggersResponse),
  UpdateTrigger: registry(updateTriggerRequest, emptyResponse),
  UpdateTriggerStatus: registry(updateTriggerStatusRequest, emptyResponse),
  DeleteTrigger: registry(deleteTriggerRequest, emptyResponse),
  GetFunctionLogs: { owner: 'log', request: getFunctionLogsRequest, response: getFunctionLogsResponse },
  GetRequestStatus: { owner: 'log', request: getRequestStatusRequest, response: getRequestStatusResponse },
  Invoke: { owner: 'gateway', request: invokeRequest, response: invokeResponse },
  InvokeFunction: { owner: 'gateway', request: invokeFunctionRequest, response: invokeResponse },
} as const satisfies Record<string, Action>;

export type ActionName = keyof typeof actions;
/** The request as the owner gets it: checked, defaults filled in. */
export type ActionRequest<A extends ActionName> = z.output<(typeof actions)[A]['request']>;
/** The response without RequestId. */
export type ActionResponse<A extends ActionName> = z.output<(typeof actions)[A]['response']>;

export function isAction(name: string): name is ActionName {
  return Object.hasOwn(actions, name);
}
