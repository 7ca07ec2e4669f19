import { randomUUID } from 'node:crypto';
import {
  DEFAULT_ALIAS,
  DEFAULT_NAMESPACE,
  LATEST,
  newFunctionId,
  newRequestId,
  quotaPool,
  type AsyncEvent,
  type Caller,
  type CkafkaTrigger,
  type Command,
  type CosTrigger,
  type FunctionState,
  type Grant,
  type InvokeCall,
  type InvokerState,
  type TimerTrigger,
} from '@openscf/contracts';

/** A name that no other test has. */
export function uniqueName(prefix = 'test'): string {
  return `${prefix}-${randomUUID().slice(0, 8)}`;
}

/** A Node.js function that is deployed and ready. */
export function aFunctionState(changes: Partial<FunctionState> = {}): FunctionState {
  const sha256 = 'a'.repeat(64);
  return {
    functionId: newFunctionId(),
    namespace: DEFAULT_NAMESPACE,
    functionName: uniqueName('function'),
    version: LATEST,
    revision: 1,
    type: 'Event',
    status: 'Active',
    statusReason: '',
    runtime: 'Nodejs20.19',
    handler: 'index.main_handler',
    memoryMb: 128,
    timeoutMs: 3_000,
    initTimeoutMs: 65_000,
    environment: {},
    code: { kind: 'package', sha256, sizeBytes: 1_000, objectKey: `code/${sha256}` },
    asyncRetryNum: 2,
    asyncMaxAgeMs: 21_600_000,
    publicNetwork: true,
    layers: [],
    sharedDirectories: [],
    instanceConcurrency: 1,
    ...changes,
  };
}

function triggerIdentity(): Omit<TimerTrigger, 'type' | 'cron' | 'customArgument'> {
  return {
    namespace: DEFAULT_NAMESPACE,
    functionName: uniqueName('function'),
    functionId: newFunctionId(),
    triggerName: uniqueName('trigger'),
    qualifier: DEFAULT_ALIAS,
    enabled: true,
    revision: 1,
    createdAt: Date.now(),
  };
}

/** Fires every second. */
export function aTimerTrigger(changes: Partial<TimerTrigger> = {}): TimerTrigger {
  return { ...triggerIdentity(), type: 'timer', cron: '* * * * * * *', customArgument: '', ...changes };
}

export function aCkafkaTrigger(changes: Partial<CkafkaTrigger> = {}): CkafkaTrigger {
  return {
    ...triggerIdentity(),
    type: 'ckafka',
    instanceId: 'ckafka-local',
    topic: uniqueName('topic'),
    maxMessages: 100,
    maxWaitMs: 0,
    retries: 3,
    offset: 'latest',
    consumerGroup: '',
    ...changes,
  };
}

export function aCosTrigger(changes: Partial<CosTrigger> = {}): CosTrigger {
  return {
    ...triggerIdentity(),
    type: 'cos',
    bucket: uniqueName('bucket'),
    event: 'cos:ObjectCreated:*',
    prefix: '',
    suffix: '',
    ...changes,
  };
}

/** An invoker that takes Node.js and Python calls. */
export function anInvokerState(changes: Partial<InvokerState> = {}): InvokerState {
  return {
    invokerId: uniqueName('invoker'),
    epoch: randomUUID(),
    address: '127.0.0.1:8093',
    accepting: true,
    memoryMb: 4_096,
    usedMemoryMb: 0,
    runtimes: ['Nodejs20.19', 'Python3.11'],
    missingRuntimes: {},
    provisioned: {},
    sentAt: Date.now(),
    ...changes,
  };
}

export function aGrant(changes: Partial<Grant> = {}): Grant {
  const now = Date.now();
  return {
    invokerId: uniqueName('invoker'),
    epoch: randomUUID(),
    granter: { id: 'granter', term: 1 },
    quotas: { [quotaPool.account]: { mb: 4_096, totalMb: 4_096, runMs: 60_000 } },
    provisioned: {},
    issuedAt: now,
    expiresAt: now + 10_000,
    ...changes,
  };
}

export function aCaller(changes: Partial<Caller> = {}): Caller {
  return { appId: '1250000000', uin: '100000000001', secretId: 'AKIDexample', ...changes };
}

export function aCommand(request: Command['request'] = {}, changes: Partial<Command> = {}): Command {
  return { requestId: newRequestId(), caller: aCaller(), request, ...changes };
}

export function anAsyncEvent(changes: Partial<AsyncEvent> = {}): AsyncEvent {
  return {
    requestId: newRequestId(),
    namespace: DEFAULT_NAMESPACE,
    functionName: uniqueName('function'),
    qualifier: DEFAULT_ALIAS,
    source: 'cloud-api',
    event: '{}',
    acceptedAt: Date.now(),
    appId: '1250000000',
    uin: '100000000001',
    origin: {},
    ...changes,
  };
}

export function anInvokeCall(changes: Partial<InvokeCall> = {}): InvokeCall {
  return {
    requestId: newRequestId(),
    functionKey: `${DEFAULT_NAMESPACE}/hello/${LATEST}`,
    revision: 1,
    invocationType: 'RequestResponse',
    retryNum: 0,
    source: 'cloud-api',
    qualifier: LATEST,
    logTail: false,
    ...changes,
  };
}
