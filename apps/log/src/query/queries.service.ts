import { setTimeout as delay } from 'node:timers/promises';
import { UnavailableError } from '@openscf/contracts';
import type { ActionRequest, ActionResponse, FunctionLog } from '@openscf/scf-api';
import { FittingLogs, functionLog, requestStatus } from './invocation-view.policy.js';
import type { InvocationRow } from '../store/log.schema.js';
import type { AttemptLog, InvocationRepository } from './invocation.repository.js';
import { logCriteria, pageOf, statusCriteria, type LogCriteria, type Page } from './log-criteria.policy.js';

/** The newest attempts of a request; each has a result of up to 8 KB, and all must fit into one answer. */
const ATTEMPTS = 40;
/** No answer carries more: a log without a line takes 250 bytes of its 700,000. */
const MOST_ROWS = 2_800;
const LOGS_AT_ONCE = 50;
/** Kafka keeps no order between records and lines: the lines of an attempt that ended a moment ago are waited for. */
const LINES_EXPECTED_MS = 10_000;
const LINES_WAIT_MS = 1_000;
const LINES_POLL_MS = 25;

/** Answers GetFunctionLogs and GetRequestStatus. */
export class LogQueries {
  constructor(private readonly invocations: Pick<InvocationRepository, 'count' | 'find' | 'withLogs'>) {}

  async functionLogs(request: ActionRequest<'GetFunctionLogs'>): Promise<ActionResponse<'GetFunctionLogs'>> {
    const criteria = logCriteria(request, Date.now());
    const [TotalCount, Data] = await reading(
      Promise.all([this.invocations.count(criteria), this.fittingLogs(criteria, pageOf(request))]),
    );
    return { TotalCount, Data, SearchContext: { Offset: '', Limit: 0, Keyword: '', Type: '' } };
  }

  async requestStatus(
    request: ActionRequest<'GetRequestStatus'>,
  ): Promise<ActionResponse<'GetRequestStatus'>> {
    const page = { sortBy: 'started_at', order: 'desc', offset: 0, limit: ATTEMPTS } as const;
    const found = await reading(this.invocations.find(statusCriteria(request, Date.now()), page));
    return { TotalCount: found.length, Data: found.map(requestStatus) };
  }

  /** Logs are read a few at a time and only as far as the answer carries them: a page may be 10,000 long logs. */
  private async fittingLogs(criteria: LogCriteria, page: Page): Promise<FunctionLog[]> {
    const found = await this.invocations.find(criteria, { ...page, limit: Math.min(page.limit, MOST_ROWS) });
    const fitting = new FittingLogs();
    // For the whole answer: a long page must not wait anew for each part of it.
    const linesBy = Date.now() + LINES_WAIT_MS;
    for (let from = 0; from < found.length; from += LOGS_AT_ONCE) {
      const logs = await this.wholeLogs(found.slice(from, from + LOGS_AT_ONCE), linesBy);
      if (!logs.every((log) => fitting.add(functionLog(log)))) break;
    }
    return fitting.logs;
  }

  private async wholeLogs(found: readonly InvocationRow[], linesBy: number): Promise<AttemptLog[]> {
    for (;;) {
      const logs = await this.invocations.withLogs(found);
      if (Date.now() >= linesBy || !logs.some(isExpectingLines)) return logs;
      await delay(LINES_POLL_MS);
    }
  }
}

function isExpectingLines({ invocation, printedLines }: AttemptLog): boolean {
  const endedAt = invocation.started_at.getTime() + invocation.duration_ms;
  return printedLines < invocation.printed_lines && Date.now() - endedAt < LINES_EXPECTED_MS;
}

/** Says to a caller what an absent database means, and nothing of where it is. */
async function reading<T>(read: Promise<T>): Promise<T> {
  try {
    return await read;
  } catch (error) {
    if (!(error instanceof UnavailableError)) throw error;
    throw new UnavailableError(
      'Logs cannot be read now, because their database does not answer; none is lost.',
      error,
    );
  }
}
