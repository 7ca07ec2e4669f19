/**
 * The contract between the invoker and whatever isolates an instance. One driver per way of isolating; each passes
 * `describeSandboxDriver` (conformance/sandbox-driver.conformance.ts).
 *
 * A driver belongs to one owner (an invoker). All that it makes on the host (processes, mounts, cgroups, network
 * namespaces, containers) carries the owner's name, so that a later life of the same owner can find and remove it.
 */
import type { Readable } from 'node:stream';

/** Forwards `name:port`, as seen by every instance, to a service of the host. Nothing else of the host is reachable. */
export interface SandboxRelay {
  /** A name that instances resolve, such as `minio.openscf.internal`. */
  readonly name: string;
  readonly port: number;
  readonly target: { readonly host: string; readonly port: number };
}

/** What a driver is made with. */
export interface SandboxDriverOptions {
  /** Lower-case letters, digits and `-`, 1 to 32 characters; unique on the host, the same over restarts. */
  readonly owner: string;
  readonly relays: readonly SandboxRelay[];
  /** May instances with `network: 'egress'` reach the public network (as far as the host has the tools for it)? */
  readonly publicEgress: boolean;
  /** Private networks (CIDR) that `egress` reaches too, such as that of a database; all others are hidden. Not the host's own addresses. */
  readonly privateNetworks?: readonly string[];
  /** Network places kept ready ahead of their use. */
  readonly readyNetworks: number;
  /** Absolute folder for the driver's own bookkeeping; cleared by `recover`. Default: `/run/openscf-<owner>`. */
  readonly stateDirectory?: string;
  /** A sandbox that does not start within this time is destroyed and reported as failed. Default: 30,000. */
  readonly createTimeoutMs?: number;
  /**
   * Absolute host path of a root file system with the platform's own programs, for what a driver runs beside instances: theirs may hold a
   * user's program alone. Default: that of the first sandbox.
   */
  readonly baseRootfs?: string;
}

/** A user and a group, as numbers of the file system that a mount's source is in; not 0, which is root. */
export interface SandboxMountOwner {
  readonly uid: number;
  readonly gid: number;
}

export interface SandboxMount {
  /** Absolute path on the host; must exist when the sandbox is created. */
  readonly source: string;
  /** Absolute path in the instance; must exist in the root file system. */
  readonly target: string;
  readonly readOnly: boolean;
  /**
   * Whose files the instance's files are on the host: for this mount the instance is this user, whatever it is elsewhere. It may do what
   * this user may (the folder must be his, or open to him), and what it makes is his, so that several sandboxes can
   * write to the same files. Files of all others are nobody's in the instance. Kept to where the capability `sharedMounts` is; a
   * file system that cannot (such as NFS) fails the start. Without it all sandboxes with a writable mount are one user of the host,
   * which is the driver's to choose. Not for `attach`.
   */
  readonly owner?: SandboxMountOwner;
}

export interface SandboxLimits {
  /** Hard limit of all memory of the instance, its `/tmp` included unless `tmpOutsideMemory`; beyond it the kernel kills (see `oomKilled`). */
  readonly memoryMb: number;
  /** Relative weight when processors are short: 1024 is the weight of one ordinary process tree. 2 to 262,144. */
  readonly cpuShares: number;
  /** Hard limit in processors, such as 0.5; without it an instance may use idle processors freely. */
  readonly cpus?: number;
  /** Processes and threads together. */
  readonly pids: number;
  /** Open files of each process. */
  readonly openFiles: number;
  /** Size of `/tmp`, which is empty at the start and gone with the instance. */
  readonly tmpMb: number;
}

/**
 * `relays`: only the relays, and no way to resolve public names; `egress`: the relays and, where the host has the tools, the
 * public network: not private ones, link-local ones, nor any address of the host.
 */
export type SandboxNetwork = 'none' | 'relays' | 'egress';

export interface SandboxSpec {
  /** Lower-case letters, digits and `-`, 1 to 64 characters; unique among the owner's living sandboxes. */
  readonly id: string;
  /** Absolute host path of the shared root file system; never written to. */
  readonly rootfs: string;
  /** The program and its arguments, as absolute paths in the instance. Runs as user `qcloud`, not as pid 1. */
  readonly command: readonly [string, ...string[]];
  /** The whole environment: nothing is inherited. */
  readonly env: Readonly<Record<string, string>>;
  readonly cwd: string;
  readonly mounts: readonly SandboxMount[];
  /** Folders of the root file system, seen empty and read-only until `attach` fills them, each once. */
  readonly lateTargets?: readonly string[];
  /** A static program on the host that is pid 1 instead of a shell, for roots that have none (libs/runtimes/agent). */
  readonly pidOne?: string;
  /**
   * Absolute host folder, seen read-only as `/run/openscf` by the instance. The caller makes it and may listen on a unix
   * socket in it (mode 0666); the driver adds the FIFO `output`. The caller removes it after `destroy`.
   */
  readonly runDirectory: string;
  readonly limits: SandboxLimits;
  readonly network: SandboxNetwork;
  readonly hostname: string;
}

/** How an instance ended. `oomKilled`: the kernel killed a process of it for memory, whatever the command made of that. */
export interface SandboxExit {
  /** Set when the command returned; 0 to 255. */
  readonly exitCode?: number;
  /** Set when a signal ended the command, or the whole sandbox was killed (`SIGKILL`). */
  readonly signal?: NodeJS.Signals;
  readonly oomKilled: boolean;
}

export interface SandboxUsage {
  readonly memoryBytes: number;
  /** The most since the start, or since the driver began to look where the kernel does not keep it. */
  readonly memoryPeakBytes: number;
  readonly cpuMs: number;
}

export interface Sandbox {
  readonly id: string;
  /** Standard output and error of everything in the instance, as one stream; ends when the instance has ended. */
  readonly output: Readable;
  /** Resolves once, soon after the command ended or the sandbox was destroyed; never rejects. */
  readonly exited: Promise<SandboxExit>;
  /** Rejects with SandboxError `sandbox-gone` after the end. */
  usage(): Promise<SandboxUsage>;
  /** Takes effect at once, on the running instance. */
  setLimits(limits: Pick<SandboxLimits, 'memoryMb' | 'cpuShares' | 'cpus'>): Promise<void>;
  /**
   * Mounts host folders on `lateTargets` of the running instance, in this order, within a few milliseconds. A program that is in such a
   * folder must change into it again to see what was mounted. Rejects with SandboxError `not-supported` where the driver has
   * no `lateMounts`; after any other failure but `invalid-spec` the sandbox is destroyed.
   */
  attach(mounts: readonly SandboxMount[]): Promise<void>;
  /** Kills and removes everything of the sandbox: idempotent, bounded in time, nothing is left when it resolves. */
  destroy(): Promise<void>;
}

/** What a driver can hold to. The conformance suite tests what is said to be true, and only that. */
export interface SandboxCapabilities {
  /** Root in the instance is an unprivileged user on the host. */
  readonly userNamespace: boolean;
  /** Instances with `egress` reach the public network. */
  readonly publicEgress: boolean;
  /** With `egress`, services that listen on all addresses of the host cannot be reached (its loopback never can). */
  readonly hostAddressesHidden: boolean;
  /** `attach` works: instances can be started before it is known what they will run. */
  readonly lateMounts: boolean;
  /** The `owner` of mounts is kept to. Without it such a mount is as one that has none. */
  readonly sharedMounts: boolean;
  /** What an instance writes to `/tmp` is not counted as its memory. */
  readonly tmpOutsideMemory?: boolean;
  /** Ordinary time from `create` to a running command, for the scheduling of starts. */
  readonly typicalStartMs: number;
}

export interface SandboxDriver {
  readonly name: string;
  /** Known after `prepare`. */
  capabilities(): SandboxCapabilities;
  /**
   * Checks the host and makes what sandboxes share. Rejects with SandboxError `host-not-ready` that names everything
   * that is missing. Calls `recover` first. To be called once, before `create`.
   */
  prepare(): Promise<void>;
  /** Resolves when the command runs. A failed create leaves nothing behind. */
  create(spec: SandboxSpec): Promise<Sandbox>;
  /**
   * A root file system is being removed that no sandbox uses, and that none will use again: gives up what the driver keeps for starts from
   * it, such as a mount or an image. Fine for one that it has never seen.
   */
  forgetRoot(rootfs: string): Promise<void>;
  /** Removes everything that an earlier life of this owner left on the host. */
  recover(): Promise<void>;
  /** Destroys all sandboxes of this driver and what they shared. */
  close(): Promise<void>;
}
