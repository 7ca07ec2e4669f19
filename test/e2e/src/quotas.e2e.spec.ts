import { describe, expect, it } from 'vitest';
import { makeFunction, type FunctionUnderTest } from './function.fixture.js';
import { cloud } from './platform.js';
import { until } from './until.js';

/** Says when it ran, by the clock of the host. */
const SLEEPER = `exports.main_handler = async ({ ms }) => {
  const from = Date.now();
  await new Promise((resolve) => setTimeout(resolve, ms));
  return { from, to: Date.now() };
};`;

interface Span {
  from: number;
  to: number;
}

/** Calls at once: how many ran at the same time, and what was said to the others. */
async function burst(
  fn: FunctionUnderTest,
  count: number,
): Promise<{ ran: number; atOnce: number; refused: string[] }> {
  const calls = await Promise.allSettled(Array.from({ length: count }, () => fn.invoke({ ms: 1_000 })));
  const spans: Span[] = [];
  const refused = new Set<string>();
  for (const call of calls) {
    if (call.status === 'fulfilled') spans.push(JSON.parse(call.value.RetMsg) as Span);
    else refused.add(/Function \[.* MB/.exec(String(call.reason))?.[0] ?? String(call.reason));
  }
  const atOnce = spans.map(({ from }) => spans.filter((span) => span.from <= from && from < span.to).length);
  return { ran: spans.length, atOnce: Math.max(0, ...atOnce), refused: [...refused] };
}

describe('quotas', () => {
  it('let a reserved function run as often at once as it has reserved, and no more, and say so', async () => {
    const fn = await makeFunction({ source: SLEEPER });
    const reserve = (ReservedConcurrencyMem: number) =>
      cloud.PutReservedConcurrencyConfig({ FunctionName: fn.name, ReservedConcurrencyMem });
    await fn.invoke({ ms: 0 });
    await reserve(256);
    const message = (mb: number) => `Function [ ${fn.name} ] concurrency exceeded reserved quota ${mb} MB`;
    // A change reaches the invoker with its next grant; from then on it holds for every call.
    await until('the reservation holds', async () => (await burst(fn, 3)).ran === 2);
    expect(await burst(fn, 6)).toEqual({
      ran: 2,
      atOnce: 2,
      refused: [message(256)],
    });

    await reserve(0);
    await until('the function is stopped', async () => (await burst(fn, 1)).ran === 0);
    expect(await burst(fn, 2)).toEqual({ ran: 0, atOnce: 0, refused: [message(0)] });

    await cloud.DeleteReservedConcurrencyConfig({ FunctionName: fn.name });
    await until('it shares what is unreserved', async () => (await burst(fn, 3)).ran === 3);
  });

  it('keep provisioned instances ready, and calls of the version find them started', async () => {
    const fn = await makeFunction({ source: SLEEPER });
    const { FunctionVersion = '' } = await cloud.PublishVersion({ FunctionName: fn.name });
    const version = { FunctionName: fn.name, Qualifier: FunctionVersion };
    await until('the version can be provisioned', () =>
      cloud.PutProvisionedConcurrencyConfig({ ...version, VersionProvisionedConcurrencyNum: 2 }).then(
        () => true,
        () => false,
      ),
    );
    await until('two are ready', async () => {
      const { Allocated = [] } = await cloud.GetProvisionedConcurrencyConfig(version);
      return Allocated[0]?.AvailableProvisionedConcurrencyNum === 2 && Allocated[0].Status === 'Done';
    });
    const call = () => cloud.Invoke({ ...version, ClientContext: '{"ms":300}', LogType: 'Tail' });
    const logs = (await Promise.all([call(), call()])).map(({ Result }) => Result?.Log ?? '');
    expect(logs.map((log) => /Cold: \w+/.exec(log)?.[0])).toEqual(['Cold: provisioned', 'Cold: provisioned']);
    await cloud.DeleteProvisionedConcurrencyConfig(version);
  });
});
