import { setTimeout as delay } from 'node:timers/promises';
import tencentcloud from 'tencentcloud-sdk-nodejs-scf';
import type { Keys } from '../home/keys.ts';
import { LaunchError } from '../launch.errors.ts';
import type { Settings } from '../settings.ts';

export type CloudClient = InstanceType<typeof tencentcloud.scf.v20180416.Client>;

/** What came of an event that was sent through a door. */
export interface Fired {
  requestId: string;
  /** From sending until the result was seen, as a client measures it. */
  tookMs: number;
  /** What the function itself took. */
  functionMs: number;
  answer: string;
}

const RESULT_WITHIN_MS = 45_000;

export function cloudClient({ ports, region }: Settings, { secretId, secretKey }: Keys): CloudClient {
  const httpProfile = { endpoint: `127.0.0.1:${ports.gateway}`, protocol: 'http://', reqTimeout: 60 };
  return new tencentcloud.scf.v20180416.Client({
    credential: { secretId, secretKey },
    region,
    profile: { httpProfile },
  });
}

/** Runs the action; when its error code starts with one of those given, runs the other instead. */
export async function elseWhen<T>(
  codes: readonly string[],
  action: () => Promise<T>,
  other: () => Promise<T>,
): Promise<T> {
  try {
    return await action();
  } catch (error) {
    const { code } = error as { code?: string };
    if (code === undefined || !codes.some((start) => code.startsWith(start))) throw error;
    return other();
  }
}

/** The finished invocation whose answer or log has the mark in it, as soon as the platform's log knows it. */
export async function findResult(
  client: CloudClient,
  functionName: string,
  mark: string,
  sinceMs: number,
): Promise<Fired> {
  for (const deadline = Date.now() + RESULT_WITHIN_MS; Date.now() < deadline; await delay(100)) {
    const { Data = [] } = await client.GetFunctionLogs({
      FunctionName: functionName,
      Order: 'desc',
      OrderBy: 'start_time',
      Offset: 0,
      Limit: 50,
    });
    const found = Data.find((one) => one.InvokeFinished === 1 && `${one.RetMsg} ${one.Log}`.includes(mark));
    if (found === undefined) continue;
    if (found.RetCode !== 0) throw new LaunchError(`request ${found.RequestId} failed: ${found.RetMsg}`);
    return {
      requestId: found.RequestId ?? '',
      tookMs: Date.now() - sinceMs,
      functionMs: found.Duration ?? 0,
      answer: found.RetMsg ?? '',
    };
  }
  throw new LaunchError(
    `no finished invocation of ${functionName} was seen within ${RESULT_WITHIN_MS / 1_000} s.`,
  );
}
