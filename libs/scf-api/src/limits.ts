/**
 * What the API accepts, each number with its source. "scf-api" is the section of the API notes the number was read from.
 * KB and MB are binary, as SCF counts them.
 */
const KB = 1024;
const MB = 1024 * KB;

export const API_VERSION = '2018-04-16';

/** A request's time may be this far from ours (common error AuthFailure.SignatureExpire). */
export const CLOCK_SKEW_SECONDS = 300;

/** scf-api Quotas: 64 MB, or 128..3072 in steps of 128; 128 when none is given. */
export const memoryMb = { smallest: 64, from: 128, to: 3072, step: 128, default: 128 } as const;

/** scf-api Quotas: 1-900 s, 3 when none is given. */
export const timeoutSeconds = { min: 1, max: 900, default: 3 } as const;

/** scf-api Quotas: 3-300 s; 65 is the sample of GetFunction. */
export const initTimeoutSeconds = { min: 3, max: 300, default: 65 } as const;

/** scf-api Quotas: keys and values of one function together. */
export const ENVIRONMENT_BYTES = 4 * KB;
export const RESERVED_ENVIRONMENT_PREFIXES = ['SCF_', 'QCLOUD_', 'TENCENTCLOUD_'] as const;

/** scf-api Quotas: the zip itself, not its base64 text. */
export const zipBytes = { create: 50 * MB, update: 20 * MB } as const;
/** scf-api Quotas: code and layers, unzipped. */
export const UNZIPPED_BYTES = 500 * MB;

/** scf-api Quotas: the event of a sync call, and a result. */
export const SYNC_EVENT_BYTES = 6 * MB;
export const SYNC_RESULT_BYTES = 6 * MB;
/** scf-api Quotas: the event of an async call. */
export const ASYNC_EVENT_BYTES = 128 * KB;
/** scf-api section 1: RoutingKey. */
export const ROUTING_KEY_BYTES = 1024;
/** scf-api section 1: Log with LogType Tail. */
export const LOG_TAIL_BYTES = 4 * KB;

/** Ours: what a request may hold besides a zip or an event. The largest legal one is a few KB of environment. */
export const REQUEST_BYTES = 1 * MB;

/** scf-api Quotas: letters and numbers. */
export const nameLength = {
  function: { min: 2, max: 60 },
  namespace: { min: 1, max: 60 },
  trigger: { min: 1, max: 100 },
  layer: { min: 1, max: 64 },
} as const;
/** scf-api Quotas: function and namespace name together. */
export const NAMES_TOGETHER = 118;
export const DESCRIPTION_LENGTH = 1000;

/** scf-api Quotas; an operator may set others. */
export const FUNCTIONS_PER_NAMESPACE = 50;
export const TRIGGERS_PER_TYPE = 10;

/** scf-api Quotas: ckafka. */
export const ckafkaTrigger = {
  maxMsgNum: { min: 1, max: 10_000, default: 100 },
  timeOutSeconds: { min: 1, max: 60, default: 60 },
  retry: { min: 0, max: 10_000, default: 10_000 },
} as const;
/** scf-api Quotas: the text of a timer. */
export const TIMER_MESSAGE_BYTES = 4 * KB;

/** scf-api section 4: AsyncTriggerConfig, as GetAccount tells it. */
export const asyncLimits = { retryNum: 2, minTtlSeconds: 60, maxTtlSeconds: 21_600 } as const;

/** scf-api section 1: GetFunctionLogs. */
export const LOG_QUERY_ROWS = 10_000;
/** scf-api section 1: GetFunctionLogs looks at no more than a day, GetRequestStatus at 15 minutes when nothing is said. */
export const LOG_QUERY_MS = 24 * 3_600_000;
export const REQUEST_STATUS_WINDOW_MS = 15 * 60_000;
/** scf-api section 1 gives 20 as the default of lists; the most is ours. */
export const listRows = { default: 20, max: 1000 } as const;

/** scf-api Quotas: versions and layers. */
export const VERSIONS_PER_FUNCTION = 1000;
export const LAYERS = 20;
export const LAYER_VERSIONS = 200;
export const LAYERS_PER_FUNCTION = 5;
export const RUNTIMES_PER_LAYER = 5;

/** scf-api Quotas: the part of the account's concurrency that stays unreserved, 12,800 of 128,000 MB; a smaller account keeps a tenth. */
export function unreservedMb(quotaMb: number): number {
  return Math.min(12_800, Math.ceil(quotaMb / 10));
}
/** scf-api section 4: InstanceConcurrencyConfig. */
export const instanceConcurrency = { min: 1, max: 100 } as const;
/** scf-api Quotas: an idle WebSocket, in seconds. */
export const webSocketIdleSeconds = { min: 1, max: 1800, default: 15 } as const;
/** scf-api Quotas: the initialization of an image function, in seconds. */
export const IMAGE_INIT_TIMEOUT_SECONDS = 90;
/** Ours: timed actions of one version's provisioned concurrency. */
export const PROVISION_ACTIONS = 10;
