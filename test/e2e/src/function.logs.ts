import { cloud } from './platform.js';
import { until } from './until.js';

export type FunctionLog = NonNullable<Awaited<ReturnType<typeof cloud.GetFunctionLogs>>['Data']>[number];

/** The log of a finished request, as soon as it is there. */
export async function logOf(
  functionName: string,
  requestId: string,
  timeoutMs = 15_000,
): Promise<FunctionLog> {
  return until(
    `the log of request ${requestId} of ${functionName}`,
    async () => {
      const { Data = [] } = await cloud.GetFunctionLogs({
        FunctionName: functionName,
        FunctionRequestId: requestId,
      });
      return Data.find((entry) => entry.RequestId === requestId && entry.InvokeFinished === 1);
    },
    timeoutMs,
  );
}

/** The finished requests of a function, oldest first. */
export async function logsOf(functionName: string): Promise<FunctionLog[]> {
  const { Data = [] } = await cloud.GetFunctionLogs({
    FunctionName: functionName,
    Order: 'asc',
    OrderBy: 'start_time',
    Offset: 0,
    Limit: 1_000,
  });
  return Data.filter((entry) => entry.InvokeFinished === 1);
}
