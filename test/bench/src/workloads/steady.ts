/**
 * Workload 2: warm sync invoke, open loop at half of our own maximum, for five minutes; and the minute before them, in which the instances
 * for that rate are started and Kafka's code is compiled.
 * Usage: node test/bench/src/workloads/steady.ts [--seconds 300] [--write]
 */
import { applyLoad } from '../measuring/load.ts';
import { applyRate, type OpenLoopResult } from '../measuring/open-loop.ts';
import { benchOptions } from '../measuring/options.ts';
import { report } from '../measuring/report.ts';
import { BenchPlatform } from '../platform/bench-platform.ts';

const options = benchOptions({ seconds: 300 });
const MAXIMUM_SECONDS = 10;
const FIRST_SECONDS = 60;
/** A signature is good for five minutes: longer runs are made of pieces. */
const PIECE_SECONDS = 240;

const platform = await BenchPlatform.start();
try {
  await platform.deploy(
    { FunctionName: 'steady', Runtime: 'Nodejs24' },
    { 'index.js': 'exports.main_handler = async (event) => event;\n' },
  );
  const url = platform.running.urls.gateway;
  const body = JSON.stringify({
    FunctionName: 'steady',
    Event: JSON.stringify({ payload: 'x'.repeat(1_000) }),
  });
  const signed = () => platform.signed('InvokeFunction', body);
  const closed = { url, body, connections: 16, expect: '"InvokeResult":0' };
  await applyLoad({ ...closed, headers: signed(), seconds: 3 });
  const maximum = await applyLoad({ ...closed, headers: signed(), seconds: MAXIMUM_SECONDS });
  const perSecond = Math.round(maximum.requestsPerSecond / 2);
  const apply = async (phase: string, phaseSeconds: number) => {
    const pieces: OpenLoopResult[] = [];
    for (let left = phaseSeconds; left > 0; left -= PIECE_SECONDS) {
      const seconds = Math.min(left, PIECE_SECONDS);
      pieces.push(await applyRate({ url, body, headers: signed(), perSecond, seconds }));
    }
    return { phase, pieces };
  };
  const phases = [
    await apply('the first minute', FIRST_SECONDS),
    await apply(`${options.seconds} s after it`, options.seconds),
  ];
  const rows = phases.map(({ phase, pieces }) => {
    const worst = (pick: (piece: OpenLoopResult) => number) => Math.max(...pieces.map(pick));
    const sum = (pick: (piece: OpenLoopResult) => number) =>
      pieces.reduce((total, piece) => total + pick(piece), 0);
    const ratio = worst(({ p99Ms, p50Ms }) => p99Ms / p50Ms).toFixed(1);
    return [
      phase,
      `${perSecond}`,
      sum(({ requests }) => requests),
      worst(({ p50Ms }) => p50Ms).toFixed(2),
      worst(({ p99Ms }) => p99Ms).toFixed(2),
      `${ratio} (must: 5)`,
      worst(({ highestMs }) => highestMs).toFixed(0),
      sum(({ failures }) => failures),
    ];
  });
  const columns = [
    'when',
    'requests/s',
    'requests',
    'p50, ms',
    'p99, ms',
    'p99 ÷ p50',
    'highest, ms',
    'failures',
  ];
  report({ workload: 'steady', columns, rows, data: { maximum, phases } }, options.write);
} finally {
  await platform.stop();
}
