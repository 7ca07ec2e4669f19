import { expect, it } from 'vitest';
import { exitOfCode } from './pid-one.js';

it.each([
  [0, { exitCode: 0, oomKilled: false }],
  [3, { exitCode: 3, oomKilled: false }],
  [137, { signal: 'SIGKILL', oomKilled: false }],
  [139, { signal: 'SIGSEGV', oomKilled: false }],
  [255, { exitCode: 255, oomKilled: false }],
  [undefined, { signal: 'SIGKILL', oomKilled: false }],
])('reads code %s of pid 1 as %o', (code, exit) => {
  expect(exitOfCode(code, false)).toEqual(exit);
});
