import type { ActionRequest } from '@openscf/scf-api';

const DAY_MS = 86_400_000;
const SECOND_MS = 1_000;
const REQUEST_STATUS_WINDOW_MS = 15 * 60_000;

/** Times in ms since the epoch; `from` is included, `until` is not. Undefined means no bound. */
export interface Window {
  readonly from: number | undefined;
  readonly until: number | undefined;
}

/** Which invocations a query means. */
export interface LogCriteria extends Window {
  readonly namespace: string;
  readonly functionName: string | undefined;
  readonly qualifier: string | undefined;
  readonly requestId: string | undefined;
  readonly status: StatusFilter;
  readonly keyword: string | undefined;
  readonly lineType: 'Custom' | 'Platform' | undefined;
}

export type StatusFilter =
  | { readonly kind: 'any' }
  | { readonly kind: 'succeeded' }
  | { readonly kind: 'failed' }
  | { readonly kind: 'codes'; readonly codes: readonly number[] };

export type SortColumn = 'function_name' | 'duration_ms' | 'memory_bytes' | 'started_at';

export interface Page {
  readonly sortBy: SortColumn;
  readonly order: 'asc' | 'desc';
  readonly offset: number;
  readonly limit: number;
}

const SORT_COLUMNS = {
  function_name: 'function_name',
  duration: 'duration_ms',
  mem_usage: 'memory_bytes',
  start_time: 'started_at',
} as const satisfies Record<string, SortColumn>;

/** scf-api section 5, status codes: 433 time; 429, 432, 434 and 449 resources; 430 and 443 the user's code. */
const STATUS_FILTERS = {
  '': { kind: 'any' },
  is0: { kind: 'succeeded' },
  not0: { kind: 'failed' },
  TimeLimitExceeded: { kind: 'codes', codes: [433] },
  ResourceLimitExceeded: { kind: 'codes', codes: [429, 432, 434, 449] },
  UserCodeException: { kind: 'codes', codes: [430, 443] },
} as const satisfies Record<string, StatusFilter>;

const LINE_TYPES = { '': undefined, Application: 'Custom', Platform: 'Platform' } as const;

export function logCriteria(request: ActionRequest<'GetFunctionLogs'>, now: number): LogCriteria {
  return {
    namespace: request.Namespace,
    functionName: request.FunctionName,
    qualifier: request.Qualifier || undefined,
    requestId: request.FunctionRequestId || undefined,
    status: STATUS_FILTERS[request.Filter.RetCode],
    keyword: request.SearchContext?.Keyword || undefined,
    lineType: LINE_TYPES[request.SearchContext?.Type ?? ''],
    ...logWindow(request, now),
  };
}

export function statusCriteria(request: ActionRequest<'GetRequestStatus'>, now: number): LogCriteria {
  const { StartTime, EndTime } = request;
  return {
    namespace: request.Namespace,
    functionName: request.FunctionName,
    qualifier: undefined,
    requestId: request.FunctionRequestId,
    status: STATUS_FILTERS[''],
    keyword: undefined,
    lineType: undefined,
    from: StartTime ?? (EndTime ?? now) - REQUEST_STATUS_WINDOW_MS,
    until: afterSecond(EndTime),
  };
}

export function pageOf(request: ActionRequest<'GetFunctionLogs'>): Page {
  return {
    sortBy: SORT_COLUMNS[request.OrderBy],
    order: request.Order === 'ASC' ? 'asc' : 'desc',
    offset: request.Offset,
    limit: request.Limit,
  };
}

/** A day at most; the last one when nothing is said. A request id is looked for in everything that is kept. */
function logWindow(request: ActionRequest<'GetFunctionLogs'>, now: number): Window {
  const { StartTime, EndTime, FunctionRequestId } = request;
  if (StartTime === undefined && EndTime === undefined) {
    return { from: FunctionRequestId === '' ? now - DAY_MS : undefined, until: undefined };
  }
  return {
    from: StartTime ?? (EndTime ?? now) - DAY_MS,
    until: afterSecond(EndTime) ?? (StartTime ?? now) + DAY_MS,
  };
}

/** A time of the API names a whole second, and an end includes it. */
function afterSecond(ms: number | undefined): number | undefined {
  return ms === undefined ? undefined : ms + SECOND_MS;
}
