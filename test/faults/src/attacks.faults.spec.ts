/**
 * Scenario 19: functions that attack, through the whole platform. Each ends in a named error or nothing; it works afterwards, and a
 * neighbour is served all the while. What a sandbox denies is tested one by one in libs/sandbox/api/src/conformance.
 */
import { networkInterfaces } from 'node:os';
import { buffer } from 'node:stream/consumers';
import { SERVICE_NAMES } from '@openscf/infra-local';
import { eventually } from '@openscf/testing';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ZipFile } from 'yazl';
import {
  attack,
  ESCALATES,
  FILLS_DISKS,
  GREEDY,
  LOOKS_AROUND,
  REACHES_OUT,
  UNRULY,
  type Attack,
} from './attack-programs.js';
import { FaultsPlatform } from './faults.platform.js';

/** Of all attacks together: the p99 of one window of seconds is noise, and is printed. */
const MOST_P99_RATIO = 2;
const WINDOW_MS = 2_500;
const MARKS = ['mark-of-an-environment-5f1c', 'mark-of-a-code-77ab'] as const;

let platform: FaultsPlatform;

beforeAll(async () => {
  platform = await FaultsPlatform.start({ OPENSCF_INVOKER_MEMORY_MB: '6144' });
  const Environment = { Variables: [{ Key: 'SECRET', Value: MARKS[0] }] };
  await platform.deploy(
    { FunctionName: 'neighbour', Environment },
    `/* ${MARKS[1]} */ exports.main_handler = async () => 'here';`,
  );
});

afterAll(() => platform.stop());

/** Milliseconds that calls of the neighbour took, one after the other, for so long. Each must succeed. */
async function callNeighbour(windowMs: number): Promise<number[]> {
  const until = performance.now() + windowMs;
  const took: number[] = [];
  while (performance.now() < until) {
    const startedAt = performance.now();
    const { statusCode, message } = await platform.call('neighbour', String(took.length));
    expect([statusCode, message]).toEqual([0, '']);
    took.push(performance.now() - startedAt);
  }
  return took;
}

function p99(took: readonly number[]): number {
  const sorted = [...took].sort((a, b) => a - b);
  return sorted[Math.floor(0.99 * (sorted.length - 1))] ?? 0;
}

interface Answer {
  readonly statusCode: number;
  /** The result, or the error's message. */
  readonly text: string;
}

async function invoke(FunctionName: string, event: object = {}): Promise<Answer> {
  const { Result } = await platform.cloud.InvokeFunction({ FunctionName, Event: JSON.stringify(event) });
  const text = Result?.RetMsg ?? '';
  if (Result?.InvokeResult === 0) return { statusCode: 0, text };
  const { statusCode, errorMessage, stackTrace } = JSON.parse(text) as Record<string, string | number>;
  return { statusCode: Number(statusCode), text: `${errorMessage}${stackTrace ? `: ${stackTrace}` : ''}` };
}

async function expectEnd(name: string, expected: Attack, ended: Answer): Promise<void> {
  const { statusCode, text } = ended;
  expect(expected.statusCodes, text.slice(0, 500)).toContain(statusCode);
  expect(text.slice(0, 500)).toMatch(expected.message);
  if (expected.length !== undefined) expect(text).toHaveLength(expected.length);
  expect(await invoke(name, { ok: true })).toEqual({ statusCode: 0, text: '"fine"' });
}

async function deployPython(FunctionName: string, source: string, PublicNetStatus: string): Promise<void> {
  const PublicNetConfig = { PublicNetStatus, EipConfig: { EipStatus: 'DISABLE' } };
  const zip = new ZipFile();
  zip.addBuffer(Buffer.from(source), 'index.py');
  zip.end();
  await platform.cloud.CreateFunction({
    FunctionName,
    Runtime: 'Python3.11',
    Handler: 'index.main_handler',
    MemorySize: 256,
    Timeout: 60,
    PublicNetConfig,
    Code: { ZipFile: (await buffer(zip.outputStream)).toString('base64') },
  });
}

describe('a neighbour of functions that take all they can', () => {
  it('is served as ever', async () => {
    await callNeighbour(1_000);
    const alone: number[] = [];
    const attacked: number[] = [];
    const rows: string[] = [];
    for (const [n, greedy] of GREEDY.entries()) {
      const name = `greedy-${n}`;
      await platform.deploy({ FunctionName: name, Timeout: greedy.seconds }, attack(greedy.body));
      await invoke(name, { ok: true });
      const before = await callNeighbour(WINDOW_MS);
      const [ended, during] = await Promise.all([invoke(name), callNeighbour(WINDOW_MS)]);
      await expectEnd(name, greedy, ended);
      alone.push(...before);
      attacked.push(...during);
      rows.push(
        `${p99(before).toFixed(0)} → ${p99(during).toFixed(0)} ms: ${greedy.what} (${ended.statusCode})`,
      );
    }
    const ratio = p99(attacked) / p99(alone);
    const total = `${p99(alone).toFixed(1)} → ${p99(attacked).toFixed(1)} ms, ratio ${ratio.toFixed(2)}`;
    console.log(
      [`p99 of the neighbour: ${total}, ${alone.length} and ${attacked.length} calls`, ...rows].join('\n  '),
    );
    expect(ratio).toBeLessThan(MOST_P99_RATIO);
  });
});

describe('a function', () => {
  it.each(UNRULY.map((unruly, n) => ({ ...unruly, n })))(
    'that $what ends in $statusCodes',
    async (unruly) => {
      const name = `unruly-${unruly.n}`;
      await platform.deploy({ FunctionName: name, Timeout: unruly.seconds ?? 10 }, attack(unruly.body));
      await expectEnd(name, unruly, await invoke(name));
    },
  );

  it('fills 512 MB in /tmp and nothing anywhere else', async () => {
    await platform.deploy({ FunctionName: 'fills-disks', Timeout: 60 }, FILLS_DISKS);
    const { statusCode, text } = await invoke('fills-disks');
    expect(statusCode, text).toBe(0);
    const { elsewhere, tmp } = JSON.parse(text) as { elsewhere: unknown[]; tmp: [number, string] };
    expect([elsewhere, tmp[1]]).toEqual([[], 'ENOSPC']);
    // The file system takes some of it for itself.
    expect(512 - tmp[0]).toBeLessThan(16);
    expect(await invoke('fills-disks', { ok: true })).toEqual({ statusCode: 0, text: '"fine"' });
  });

  it('gains no right', async () => {
    await deployPython('escalates', ESCALATES, 'ENABLE');
    expect(await invoke('escalates')).toEqual({ statusCode: 0, text: '[]' });
  });

  it('finds nothing of the platform or of others', async () => {
    await deployPython('looks-around', LOOKS_AROUND, 'ENABLE');
    const { keys, environment } = platform.running;
    const secrets = [
      keys.secretKey,
      keys.minioSecretKey,
      keys.minioRootPassword,
      environment['OPENSCF_POSTGRES_URL'] ?? '',
    ];
    const marks = [...MARKS, ...secrets].map((mark) => [...mark].reverse().join(''));
    expect(marks.every((mark) => mark.length > 8)).toBe(true);
    const { statusCode, text } = await invoke('looks-around', { marks });
    expect([statusCode, text]).toEqual([0, expect.stringContaining('"got": []')]);
    const { processes } = JSON.parse(text) as { processes: string[] };
    expect(processes.filter((name) => !/^(sh|python.*)$/.test(name))).toEqual([]);
  });

  it.each(['ENABLE', 'DISABLE'])(
    'reaches only the object store of the platform (public network: %s)',
    async (status) => {
      const name = `reaches-${status.toLowerCase()}`;
      await deployPython(name, REACHES_OUT, status);
      const addresses = Object.values(networkInterfaces()).flatMap((found) => found ?? []);
      const own = addresses.filter(({ family }) => family === 'IPv4').map(({ address }) => address);
      const hosts = [
        ...own,
        'minio.openscf.internal',
        '198.18.0.1',
        '198.19.0.2',
        '10.0.2.2',
        '172.17.0.1',
        '169.254.169.254',
      ];
      const ports = [...Object.values(platform.running.ports), 22, 80];
      const { statusCode, text } = await invoke(name, { hosts, ports: [...new Set([...ports, 9000])] });
      expect(statusCode, text).toBe(0);
      const {
        reached,
        gateways,
        name: resolved,
      } = JSON.parse(text) as { reached: string[]; gateways: string[]; name: string | null };
      // The relay, by its name and by its address.
      expect(reached).toContain('minio.openscf.internal:9000');
      expect(reached.filter((at) => !/^(minio\.openscf\.internal|198\.1[89]\.0\.\d):9000$/.test(at))).toEqual(
        [],
      );
      if (status === 'DISABLE') expect({ gateways, resolved }).toEqual({ gateways: [], resolved: null });
      else expect(gateways.filter((gateway) => gateway !== '0.0.0.0')).toHaveLength(1);
    },
  );
});

describe('after all of it', () => {
  it('no service has been started again, and the log of a flood is bounded', async () => {
    for (const name of SERVICE_NAMES)
      expect([name, platform.running.restarts(name), platform.running.isHealthy(name)]).toEqual([
        name,
        0,
        true,
      ]);
    const n = GREEDY.findIndex(({ what }) => what === 'prints empty lines without end');
    const Log = await eventually(async () => {
      const { Data = [] } = await platform.cloud.GetFunctionLogs({ FunctionName: `greedy-${n}`, Limit: 100 });
      return Data.find(({ RetCode }) => RetCode !== 0)?.Log;
    });
    expect(Log).toMatch(/the log was cut at 1 MB or 32768 lines: \d+ more lines were dropped/);
  });
});
