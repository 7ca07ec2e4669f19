import { Inject, Injectable } from '@nestjs/common';
import { DEFAULT_NAMESPACE } from '@openscf/contracts';
import {
  asyncLimits,
  initTimeoutSeconds,
  memoryMb,
  timeoutSeconds,
  type ActionResponse,
} from '@openscf/scf-api';
import { ConcurrencyRepository } from '../concurrency/concurrency.repository.js';
import { provisionedMbOf } from '../concurrency/quota.policy.js';
import { FunctionsRepository } from '../functions/functions.repository.js';
import { REGISTRY_CONFIG, type RegistryConfig } from '../registry.config.js';

/** The types that GetAccount counts, ours and those that only the vendor has. */
const TRIGGER_TYPES = [
  'Timer',
  'Cos',
  'Cmq',
  'Ckafka',
  'Apigw',
  'Cls',
  'Clb',
  'Mps',
  'Cm',
  'Vod',
  'Eb',
] as const;
type TriggerCounts = ActionResponse<'GetAccount'>['AccountLimit']['Namespace'][number]['Trigger'];
/** The vendor's sample; the console's test events are not limited here. */
const TEST_MODELS = 20;

function triggerCounts(perType: number): TriggerCounts {
  const counts = Object.fromEntries(TRIGGER_TYPES.map((type) => [type, perType])) as Omit<
    TriggerCounts,
    'Total'
  >;
  return { ...counts, Total: perType * TRIGGER_TYPES.length };
}

/** What the account uses and may use. There is one namespace, and the whole account is its. */
@Injectable()
export class AccountQueries {
  constructor(
    private readonly functions: FunctionsRepository,
    private readonly concurrency: ConcurrencyRepository,
    @Inject(REGISTRY_CONFIG) private readonly config: RegistryConfig,
  ) {}

  async get(): Promise<ActionResponse<'GetAccount'>> {
    const { quotaMb, functionsPerNamespace, triggersPerType } = this.config;
    const names = await this.functions.names(DEFAULT_NAMESPACE);
    const concurrency = await this.concurrency.all();
    const reservedMb = concurrency.reduce((sum, record) => sum + (record.reservedMb ?? 0), 0);
    return {
      AccountUsage: {
        NamespacesCount: 1,
        Namespace: [
          {
            Namespace: DEFAULT_NAMESPACE,
            Functions: names,
            FunctionsCount: names.length,
            TotalConcurrencyMem: quotaMb,
            TotalAllocatedConcurrencyMem: reservedMb,
            TotalAllocatedProvisionedMem: concurrency.reduce(
              (sum, record) => sum + provisionedMbOf(record),
              0,
            ),
          },
        ],
        TotalConcurrencyMem: quotaMb,
        TotalAllocatedConcurrencyMem: reservedMb,
        UserConcurrencyMemLimit: quotaMb,
      },
      AccountLimit: {
        NamespacesCount: 1,
        Namespace: [
          {
            Namespace: DEFAULT_NAMESPACE,
            FunctionsCount: functionsPerNamespace,
            TimeoutLimit: timeoutSeconds.max,
            InitTimeoutLimit: initTimeoutSeconds.max,
            TestModelLimit: TEST_MODELS,
            RetryNumLimit: asyncLimits.retryNum,
            MinMsgTTL: asyncLimits.minTtlSeconds,
            MaxMsgTTL: asyncLimits.maxTtlSeconds,
            ConcurrentExecutions: Math.floor(quotaMb / memoryMb.default),
            Trigger: triggerCounts(triggersPerType),
          },
        ],
      },
    };
  }
}
