import { expect, it } from 'vitest';
import { seccompProfile } from './seccomp.policy.js';

const profile = seccompProfile();
const allowed = profile.syscalls
  .filter(({ action }) => action === 'SCMP_ACT_ALLOW')
  .flatMap(({ names }) => names);

it('denies by default, with an error that programs understand', () => {
  expect(profile).toMatchObject({ defaultAction: 'SCMP_ACT_ERRNO', defaultErrnoRet: 1 });
});

it.each([
  'mount',
  'ptrace',
  'unshare',
  'setns',
  'keyctl',
  'bpf',
  'io_uring_setup',
  'process_vm_readv',
  'pidfd_getfd',
])('does not allow %s', (name) => {
  expect(allowed).not.toContain(name);
});

it.each(['execve', 'openat', 'epoll_wait', 'futex', 'accept4', 'memfd_create', 'statx', 'getrandom', 'rseq'])(
  'allows %s, which runtimes need',
  (name) => {
    expect(allowed).toContain(name);
  },
);

it('names each call once, but those that are filtered by argument', () => {
  const repeated = allowed.filter((name, index) => allowed.indexOf(name) !== index);
  expect(new Set(repeated)).toEqual(new Set(['socket', 'personality']));
});
