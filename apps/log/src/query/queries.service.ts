import { UnavailableError } from '@openscf/contracts';
import type { ActionRequest, ActionResponse } from '@openscf/scf-api';
import { fitAnswer, functionLog, requestStatus } from './invocation-view.policy.js';
import type { InvocationRepository } from './invocation.repository.js';
import { logCriteria, pageOf, statusCriteria } from './log-criteria.policy.js';

/** An event is tried again for six hours at most, every minute: more attempts than that no request has. */
const ATTEMPTS = 1_000;

/** Answers GetFunctionLogs and GetRequestStatus. */
export class LogQueries {
  constructor(private readonly invocations: Pick<InvocationRepository, 'count' | 'find' | 'withLogs'>) {}

  async functionLogs(request: ActionRequest<'GetFunctionLogs'>): Promise<ActionResponse<'GetFunctionLogs'>> {
    const criteria = logCriteria(request, Date.now());
    const [TotalCount, logs] = await reading(
      Promise.all([
        this.invocations.count(criteria),
        this.invocations.find(criteria, pageOf(request)).then((found) => this.invocations.withLogs(found)),
      ]),
    );
    return {
      TotalCount,
      Data: fitAnswer(logs.map(functionLog)),
      SearchContext: { Offset: '', Limit: 0, Keyword: '', Type: '' },
    };
  }

  async requestStatus(
    request: ActionRequest<'GetRequestStatus'>,
  ): Promise<ActionResponse<'GetRequestStatus'>> {
    const page = { sortBy: 'started_at', order: 'desc', offset: 0, limit: ATTEMPTS } as const;
    const found = await reading(this.invocations.find(statusCriteria(request, Date.now()), page));
    return { TotalCount: found.length, Data: found.map(requestStatus) };
  }
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
