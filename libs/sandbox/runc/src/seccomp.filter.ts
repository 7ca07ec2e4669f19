import type { SeccompProfile } from '@openscf/sandbox-api';
import { syscallNumber } from './syscall.numbers.js';

/** Classic BPF: what the kernel runs on each system call; offsets are those of struct seccomp_data. */
const LOAD = 0x20;
const AND = 0x54;
const IF_EQUAL = 0x15;
const IF_GREATER = 0x25;
const IF_NOT_LESS = 0x35;
const RETURN = 0x06;
const NUMBER_OFFSET = 0;
const ARCHITECTURE_OFFSET = 4;
const ARGUMENTS_OFFSET = 16;

const ALLOW = 0x7fff0000;
const ERRNO = 0x00050000;
const KILL_PROCESS = 0x80000000;
/** AUDIT_ARCH_*: a call that comes by another table of numbers (32-bit) ends the process. */
const ARCHITECTURES: Record<string, number> = { SCMP_ARCH_X86_64: 0xc000003e, SCMP_ARCH_AARCH64: 0xc00000b7 };

type Instruction = [code: number, ifTrue: number, ifFalse: number, value: number];
type Rule = SeccompProfile['syscalls'][number];
type Argument = NonNullable<Rule['args']>[number];

function verdict(action: string, errnoRet?: number): number {
  if (action === 'SCMP_ACT_ALLOW') return ALLOW;
  if (action === 'SCMP_ACT_ERRNO') return ERRNO | (errnoRet ?? 0);
  throw new Error(`The action ${action} is not one that this filter knows`);
}

/** Goes on after itself when the argument is as wanted, else `miss` instructions further than its end. */
function testArgument({ index, value, valueTwo, op }: Argument, miss: number): Instruction[] {
  const isMasked = op === 'SCMP_CMP_MASKED_EQ';
  if (!isMasked && op !== 'SCMP_CMP_EQ')
    throw new Error(`The comparison ${op} is not one that this filter knows`);
  const offset = ARGUMENTS_OFFSET + index * 8;
  const wanted = isMasked ? (valueTwo ?? 0) : value;
  const low: Instruction[] = [[LOAD, 0, 0, offset]];
  if (isMasked) low.push([AND, 0, 0, value]);
  // No mask reaches into the upper half, so there a masked comparison is always true.
  const high: Instruction[] = isMasked
    ? []
    : [
        [LOAD, 0, 0, offset + 4],
        [IF_EQUAL, 0, low.length + 1 + miss, 0],
      ];
  return [...high, ...low, [IF_EQUAL, 0, miss, wanted]];
}

/** What one rule with conditions does for one call; without a match the next instruction follows. */
function conditional({ action, errnoRet, args = [] }: Rule, number: number): Instruction[] {
  let body: Instruction[] = [[RETURN, 0, 0, verdict(action, errnoRet)]];
  for (const argument of [...args].reverse()) body = [...testArgument(argument, body.length), ...body];
  return [[LOAD, 0, 0, NUMBER_OFFSET], [IF_EQUAL, 0, body.length, number], ...body];
}

/** Numbers that follow each other, as pairs of the first and the last. */
function rangesOf(numbers: number[]): [number, number][] {
  const ranges: [number, number][] = [];
  for (const number of [...new Set(numbers)].sort((a, b) => a - b)) {
    const last = ranges.at(-1);
    if (last && last[1] === number - 1) last[1] = number;
    else ranges.push([number, number]);
  }
  return ranges;
}

function hasNumber(number: number | undefined): number is number {
  return number !== undefined;
}

/** A profile as the kernel takes it: 8 bytes for each instruction. Calls without conditions are cached by the kernel. */
export function seccompFilter(profile: SeccompProfile): Buffer {
  const architecture = ARCHITECTURES[profile.architectures[0] ?? ''] ?? 0;
  const isPlain = ({ action, args }: Rule) => action === 'SCMP_ACT_ALLOW' && !args;
  const numbersOf = ({ names }: Rule) => names.map(syscallNumber).filter(hasNumber);
  const others = profile.syscalls.filter((rule) => !isPlain(rule));
  const ranges = rangesOf(profile.syscalls.filter(isPlain).flatMap(numbersOf));
  const program: Instruction[] = [
    [LOAD, 0, 0, ARCHITECTURE_OFFSET],
    [IF_EQUAL, 1, 0, architecture],
    [RETURN, 0, 0, KILL_PROCESS],
    ...others.flatMap((rule) => numbersOf(rule).flatMap((number) => conditional(rule, number))),
    [LOAD, 0, 0, NUMBER_OFFSET],
    ...ranges.flatMap(([first, last]): Instruction[] => [
      [IF_GREATER, 2, 0, last],
      [IF_NOT_LESS, 0, 1, first],
      [RETURN, 0, 0, ALLOW],
    ]),
    [RETURN, 0, 0, verdict(profile.defaultAction, profile.defaultErrnoRet)],
  ];
  return encode(program);
}

function encode(program: Instruction[]): Buffer {
  const bytes = Buffer.alloc(program.length * 8);
  for (const [index, [code, ifTrue, ifFalse, value]] of program.entries()) {
    bytes.writeUInt16LE(code, index * 8);
    bytes.writeUInt8(ifTrue, index * 8 + 2);
    bytes.writeUInt8(ifFalse, index * 8 + 3);
    bytes.writeUInt32LE(value >>> 0, index * 8 + 4);
  }
  return bytes;
}
