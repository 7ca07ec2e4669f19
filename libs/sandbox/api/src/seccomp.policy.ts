/**
 * The system calls that an instance may make: an allow-list, in the format of OCI's `linux.seccomp` that runc and the
 * Docker Engine both read. It follows Docker's default profile for containers without capabilities, and leaves out what a
 * function does not need: ptrace and process_vm_*, memfd_secret, name_to_handle_at, fanotify, quota, the calls for other
 * processors, 32-bit entry points, and socket families other than unix, IPv4, IPv6 and netlink.
 */
export interface SeccompProfile {
  defaultAction: string;
  defaultErrnoRet: number;
  architectures: string[];
  syscalls: {
    names: string[];
    action: string;
    errnoRet?: number;
    args?: { index: number; value: number; valueTwo?: number; op: string }[];
  }[];
}

const EPERM = 1;
const ENOSYS = 38;

/** CLONE_NEW* flags: an instance makes processes and threads, never namespaces. */
const NAMESPACE_FLAGS = 0x7e020000;

/** AF_UNIX, AF_INET, AF_INET6, AF_NETLINK (getaddrinfo and getifaddrs ask the kernel through it). */
const SOCKET_FAMILIES = [1, 2, 10, 16];

/** personality(2): Linux, Linux 32, with and without ADDR_NO_RANDOMIZE's query forms; what Docker allows. */
const PERSONALITIES = [0x0, 0x8, 0x20000, 0x20008, 0xffffffff];

const FILES = `access chdir chmod chown close close_range copy_file_range creat dup dup2 dup3 faccessat faccessat2
  fadvise64 fallocate fchdir fchmod fchmodat fchmodat2 fchown fchownat fcntl fdatasync fgetxattr flistxattr flock
  fremovexattr fsetxattr fstat fstatfs fsync ftruncate futimesat getcwd getdents getdents64 getxattr ioctl lchown lgetxattr
  link linkat listxattr llistxattr lremovexattr lseek lsetxattr lstat mkdir mkdirat mknod mknodat newfstatat open openat
  openat2 pread64 preadv preadv2 pwrite64 pwritev pwritev2 read readahead readlink readlinkat readv removexattr rename
  renameat renameat2 rmdir sendfile setxattr splice stat statfs statx symlink symlinkat sync sync_file_range syncfs tee
  truncate umask unlink unlinkat utime utimensat utimes vmsplice write writev inotify_add_watch inotify_init inotify_init1
  inotify_rm_watch cachestat`;
const MEMORY = `brk madvise map_shadow_stack membarrier memfd_create mincore mlock mlock2 mlockall mmap mprotect mremap
  mseal msync munlock munlockall munmap pkey_alloc pkey_free pkey_mprotect remap_file_pages arch_prctl modify_ldt`;
const PROCESSES = `execve execveat exit exit_group fork vfork wait4 waitid getpid getppid gettid getpgid getpgrp getsid
  setpgid setsid kill tgkill tkill pidfd_open pidfd_send_signal prctl set_tid_address set_robust_list get_robust_list rseq
  futex futex_wait futex_wake futex_waitv futex_requeue sched_getaffinity sched_getattr sched_getparam
  sched_get_priority_max sched_get_priority_min sched_getscheduler sched_rr_get_interval sched_setaffinity sched_setattr
  sched_setparam sched_setscheduler sched_yield getpriority setpriority ioprio_get ioprio_set getcpu seccomp
  landlock_add_rule landlock_create_ruleset landlock_restrict_self process_mrelease restart_syscall uname sysinfo getrusage
  getrlimit setrlimit prlimit64 times set_thread_area get_thread_area`;
const IDENTITY = `capget capset getegid geteuid getgid getgroups getresgid getresuid getuid setfsgid setfsuid setgid
  setgroups setregid setresgid setresuid setreuid setuid`;
const SIGNALS_AND_TIME = `rt_sigaction rt_sigpending rt_sigprocmask rt_sigqueueinfo rt_sigreturn rt_sigsuspend
  rt_sigtimedwait rt_tgsigqueueinfo sigaltstack signalfd signalfd4 pause alarm getitimer setitimer nanosleep
  clock_getres clock_gettime clock_nanosleep gettimeofday time timer_create timer_delete timer_getoverrun timer_gettime
  timer_settime timerfd_create timerfd_gettime timerfd_settime adjtimex clock_adjtime getrandom`;
const EVENTS_AND_IPC = `epoll_create epoll_create1 epoll_ctl epoll_pwait epoll_pwait2 epoll_wait eventfd eventfd2 io_cancel
  io_destroy io_getevents io_pgetevents io_setup io_submit poll ppoll pselect6 select pipe pipe2 mq_getsetattr mq_notify
  mq_open mq_timedreceive mq_timedsend mq_unlink msgctl msgget msgrcv msgsnd semctl semget semop semtimedop shmat shmctl
  shmdt shmget`;
const SOCKETS = `accept accept4 bind connect getpeername getsockname getsockopt listen recvfrom recvmmsg recvmsg sendmmsg
  sendmsg sendto setsockopt shutdown socketpair`;

const ALLOWED = [FILES, MEMORY, PROCESSES, IDENTITY, SIGNALS_AND_TIME, EVENTS_AND_IPC, SOCKETS]
  .join(' ')
  .split(/\s+/)
  .filter((name) => name !== '');

export function seccompProfile(): SeccompProfile {
  const allow = 'SCMP_ACT_ALLOW';
  const equals = (value: number) => [{ index: 0, value, op: 'SCMP_CMP_EQ' }];
  const noNamespaces = [{ index: 0, value: NAMESPACE_FLAGS, valueTwo: 0, op: 'SCMP_CMP_MASKED_EQ' }];
  return {
    defaultAction: 'SCMP_ACT_ERRNO',
    defaultErrnoRet: EPERM,
    architectures: [process.arch === 'arm64' ? 'SCMP_ARCH_AARCH64' : 'SCMP_ARCH_X86_64'],
    syscalls: [
      { names: ALLOWED, action: allow },
      { names: ['clone'], action: allow, args: noNamespaces },
      // Its flags are behind a pointer that a filter cannot read; C libraries fall back to clone.
      { names: ['clone3'], action: 'SCMP_ACT_ERRNO', errnoRet: ENOSYS },
      ...SOCKET_FAMILIES.map((family) => ({ names: ['socket'], action: allow, args: equals(family) })),
      ...PERSONALITIES.map((persona) => ({ names: ['personality'], action: allow, args: equals(persona) })),
    ],
  };
}
