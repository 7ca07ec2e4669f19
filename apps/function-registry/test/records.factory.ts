import { functionStateSchema, type TriggerState } from '@openscf/contracts';
import type { ConcurrencyRecord, ProvisionedRecord } from '../src/concurrency/concurrency.types.js';
import type { FunctionRecord } from '../src/functions/function.types.js';
import type { TriggerRecord } from '../src/triggers/trigger.types.js';

const createdAt = new Date('2026-11-22T10:00:00Z');

export function functionRecord(changes: Partial<FunctionRecord> = {}): FunctionRecord {
  return {
    ...functionStateSchema.parse({
      functionId: 'lam-aaaaaaaa',
      namespace: 'default',
      functionName: 'hello',
      version: '$LATEST',
      revision: 1,
      type: 'Event',
      status: 'Active',
      runtime: 'Nodejs22',
      handler: 'index.main_handler',
      memoryMb: 128,
      timeoutMs: 3000,
      initTimeoutMs: 65_000,
      environment: { B: '2', A: '1' },
      code: { sha256: 'ab'.repeat(32), sizeBytes: 10, objectKey: `code/${'ab'.repeat(32)}.zip` },
    }),
    sharedDirectories: [],
    description: '',
    role: '',
    imageType: '',
    registryId: '',
    createdAt,
    modifiedAt: createdAt,
    ...changes,
  };
}

const identity = {
  namespace: 'default',
  functionName: 'hello',
  functionId: 'lam-aaaaaaaa',
  qualifier: '$LATEST',
  enabled: true,
  revision: 1,
  createdAt: createdAt.getTime(),
};

function recordOf(state: TriggerState, triggerName: string, changes: Partial<TriggerRecord>): TriggerRecord {
  const record = {
    state,
    triggerName,
    description: '',
    customArgument: '',
    createdAt,
    modifiedAt: createdAt,
  };
  return { ...record, ...changes };
}

export function timerRecord(triggerName: string, changes: Partial<TriggerRecord> = {}): TriggerRecord {
  const state = {
    ...identity,
    type: 'timer',
    triggerName,
    cron: '0 0 9 * * * *',
    customArgument: '',
  } as const;
  return recordOf(state, triggerName, changes);
}

export function cosRecord(
  bucket: string,
  prefix: string,
  changes: Partial<TriggerRecord> = {},
): TriggerRecord {
  const rule = { bucket, event: 'cos:ObjectCreated:*', prefix, suffix: '' };
  const state = { ...identity, type: 'cos', triggerName: `${bucket}~${prefix}`, ...rule } as const;
  return recordOf(state, bucket, changes);
}

/** Where function URLs and buckets lie, as the registry's configuration tells. */
export const triggerPlace = {
  appId: '1250000000',
  region: 'ap-guangzhou',
  functionUrlDomain: 'localhost',
  gatewayHost: '127.0.0.1',
  gatewayPort: 8080,
};

export function concurrencyRecord(changes: Partial<ConcurrencyRecord> = {}): ConcurrencyRecord {
  return {
    functionId: 'lam-aaaaaaaa',
    namespace: 'default',
    functionName: 'hello',
    revision: 1,
    reservedMb: undefined,
    provisioned: [],
    ...changes,
  };
}

export function provisionedRecord(changes: Partial<ProvisionedRecord> = {}): ProvisionedRecord {
  return {
    version: '1',
    instances: 2,
    schedule: [],
    memoryMb: 128,
    runtime: 'Nodejs22',
    setAt: createdAt.getTime(),
    ...changes,
  };
}
