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
} as const;
/** scf-api Quotas: function and namespace name together. */
export const NAMES_TOGETHER = 118;
export const DESCRIPTION_LENGTH = 1000;

/** scf-api Quotas; the operator of a platform of one's own may raise it later. */
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

/** scf-api section 1: GetFunctionLogs. */
export const LOG_QUERY_ROWS = 10_000;
/** scf-api section 1: GetFunctionLogs looks at no more than a day, GetRequestStatus at 15 minutes when nothing is said. */
export const LOG_QUERY_MS = 24 * 3_600_000;
export const REQUEST_STATUS_WINDOW_MS = 15 * 60_000;
/** scf-api section 1 gives 20 as the default of lists; the most is ours. */
export const listRows = { default: 20, max: 1000 } as const;

/** The runtimes that this version runs. */
export const RUNTIMES = [
  'Nodejs16.13',
  'Nodejs18.15',
  'Nodejs20.19',
  'Nodejs22',
  'Nodejs24',
  'Python3.7',
  'Python3.11',
] as const;
