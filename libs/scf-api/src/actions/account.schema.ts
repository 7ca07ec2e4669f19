import { z } from 'zod';

/** GetAccount: what the account uses, and what it may. Concurrency is in MB. */

const int = z.number().int();

export const getAccountRequest = z.object({});

const triggerCounts = z.object({
  Timer: int,
  Cos: int,
  Cmq: int,
  Ckafka: int,
  Apigw: int,
  Cls: int,
  Clb: int,
  Mps: int,
  Cm: int,
  Vod: int,
  Eb: int,
  Total: int,
});

export const getAccountResponse = z.object({
  AccountUsage: z.object({
    NamespacesCount: int,
    Namespace: z.array(
      z.object({
        Namespace: z.string(),
        Functions: z.array(z.string()),
        FunctionsCount: int,
        TotalConcurrencyMem: int,
        TotalAllocatedConcurrencyMem: int,
        TotalAllocatedProvisionedMem: int,
      }),
    ),
    TotalConcurrencyMem: int,
    TotalAllocatedConcurrencyMem: int,
    UserConcurrencyMemLimit: int,
  }),
  AccountLimit: z.object({
    NamespacesCount: int,
    Namespace: z.array(
      z.object({
        Namespace: z.string(),
        FunctionsCount: int,
        TimeoutLimit: int,
        InitTimeoutLimit: int,
        TestModelLimit: int,
        RetryNumLimit: int,
        MinMsgTTL: int,
        MaxMsgTTL: int,
        ConcurrentExecutions: int,
        Trigger: triggerCounts,
      }),
    ),
  }),
});
