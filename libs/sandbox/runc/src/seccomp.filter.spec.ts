import { seccompProfile } from '@openscf/sandbox-api';
import { describe, expect, it } from 'vitest';
import { seccompFilter } from './seccomp.filter.js';
import { syscallNumber } from './syscall.numbers.js';

const ARCHITECTURE = process.arch === 'arm64' ? 0xc00000b7 : 0xc000003e;
const ALLOWED = 0x7fff0000;
const REFUSED = 0x00050001;
const MISSING = 0x00050026;
const KILLED = 0x80000000;

/** Runs the filter as the kernel would. */
function judge(filter: Buffer, number: number, args: bigint[] = [], architecture = ARCHITECTURE): number {
  const data = Buffer.alloc(64);
  data.writeUInt32LE(number, 0);
  data.writeUInt32LE(architecture, 4);
  args.forEach((value, index) => data.writeBigUInt64LE(value, 16 + index * 8));
  let accumulator = 0;
  for (let at = 0; ; at += 1) {
    const [code, value] = [filter.readUInt16LE(at * 8), filter.readUInt32LE(at * 8 + 4)];
    const jump = (condition: boolean) => (at += filter.readUInt8(at * 8 + (condition ? 2 : 3)));
    if (code === 0x06) return value;
    if (code === 0x20) accumulator = data.readUInt32LE(value);
    if (code === 0x54) accumulator = (accumulator & value) >>> 0;
    if (code === 0x15) jump(accumulator === value);
    if (code === 0x25) jump(accumulator > value);
    if (code === 0x35) jump(accumulator >= value);
  }
}

describe('seccompFilter', () => {
  const profile = seccompProfile();
  const filter = seccompFilter(profile);
  const number = (name: string) => syscallNumber(name) ?? -1;

  it('allows exactly the calls of the profile that have no conditions', () => {
    const plain = profile.syscalls.filter(({ action, args }) => action === 'SCMP_ACT_ALLOW' && !args);
    const allowed = new Set(plain.flatMap(({ names }) => names.map(syscallNumber)));
    const conditional = new Set(['socket', 'clone', 'clone3', 'personality'].map(number));
    for (let call = 0; call < 600; call += 1) {
      if (conditional.has(call)) continue;
      expect([call, judge(filter, call)]).toEqual([call, allowed.has(call) ? ALLOWED : REFUSED]);
    }
  });

  it('looks at the arguments of the others', () => {
    const socket = (family: bigint) => judge(filter, number('socket'), [family]);
    expect([1n, 2n, 10n, 16n].map(socket)).toEqual([ALLOWED, ALLOWED, ALLOWED, ALLOWED]);
    expect([17n, 38n, 40n, 1n + (1n << 32n)].map(socket)).toEqual([REFUSED, REFUSED, REFUSED, REFUSED]);
    const clone = (flags: bigint) => judge(filter, number('clone'), [flags]);
    expect([0x11n, 0x3d0f00n].map(clone)).toEqual([ALLOWED, ALLOWED]);
    expect([0x10000000n, 0x20000n, 0x40000000n].map(clone)).toEqual([REFUSED, REFUSED, REFUSED]);
    expect(judge(filter, number('clone3'))).toBe(MISSING);
    expect(judge(filter, number('personality'), [0xffffffffn])).toBe(ALLOWED);
    expect(judge(filter, number('personality'), [0x40000n])).toBe(REFUSED);
  });

  it('ends a process that calls by another table of numbers', () => {
    expect(judge(filter, number('read'), [], 0x40000003)).toBe(KILLED);
    expect(judge(filter, 0x40000000 + 1)).toBe(REFUSED);
  });
});
