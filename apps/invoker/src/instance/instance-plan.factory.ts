import { randomBytes } from 'node:crypto';
import { join } from 'node:path';
import type { FunctionState } from '@openscf/contracts';
import type { SandboxLimits, SandboxMount, SandboxSpec } from '@openscf/sandbox-api';
import {
  functionEnvironment,
  platformEnvironment,
  staticContext,
  type AccountPlace,
} from './function-environment.policy.js';
import type { Runtime } from './runtime-catalog.js';
import { networkOf, warmKeyOf, type WarmKey } from './warm-key.policy.js';

/** Where the user's code and the layers lie in an instance. */
export const CODE_ROOT = '/var/user';
export const LAYERS_ROOT = '/opt';
/** Where the program lies that runs what no bootstrap of a language does. */
const AGENT_ROOT = '/var/runtime/agent';

/** scf-api Quotas: /tmp 512 MB, 1024 open files, 1024 processes and threads. */
const TMP_MB = 512;
const OPEN_FILES = 1024;
const PIDS = 1024;
/** An instance of the pool starts behind everything that somebody waits for. */
const WARM_CPU_SHARES = 32;

/** Facts of the account and the host that every instance gets. */
export interface InstancePlace extends AccountPlace {
  /** Where instances see the code; only a driver that mounts nothing (a test's) shows it elsewhere than SCF does. */
  readonly codeRoot?: string;
  /** Host folder that holds one folder per instance. */
  readonly runRoot: string;
}

/** Everything that is known of an instance before it is started. */
export interface InstancePlan {
  readonly id: string;
  readonly state: FunctionState;
  readonly runDirectory: string;
  /** Head of the init frame. */
  readonly init: Readonly<Record<string, unknown>>;
  readonly limits: SandboxLimits;
  /** What pooled instance may become this one; undefined when none may. */
  readonly warmKey: WarmKey | undefined;
  /** Completed with what is mounted when that is there. */
  readonly sandbox: (mounts: readonly SandboxMount[]) => SandboxSpec;
}

export function makeInstancePlan(state: FunctionState, runtime: Runtime, place: InstancePlace): InstancePlan {
  const id = newInstanceId();
  const runDirectory = join(place.runRoot, id);
  const environment = functionEnvironment(state, place);
  const limits = limitsOf(state.memoryMb);
  return {
    id,
    state,
    runDirectory,
    init: {
      handler: state.handler,
      codeRoot: place.codeRoot ?? CODE_ROOT,
      context: staticContext(state, place),
      environment,
    },
    limits,
    warmKey: warmKeyOf(state, runtime),
    sandbox: (mounts) => ({
      id,
      rootfs: runtime.rootfs,
      command: commandOf(state, runtime),
      env: { ...runtime.env, ...environment, HOSTNAME: id },
      cwd: CODE_ROOT,
      mounts: [...runtimeMounts(state, runtime), ...mounts],
      runDirectory,
      limits,
      network: networkOf(state),
      hostname: id,
    }),
  };
}

/** What an instance of the pool is started with: everything but the function. */
export interface WarmPlan {
  readonly id: string;
  readonly key: WarmKey;
  readonly runDirectory: string;
  readonly sandbox: SandboxSpec;
}

export function makeWarmPlan(key: WarmKey, runtime: Runtime, place: InstancePlace): WarmPlan {
  const id = newInstanceId();
  const runDirectory = join(place.runRoot, id);
  return {
    id,
    key,
    runDirectory,
    sandbox: {
      id,
      rootfs: runtime.rootfs,
      command: runtime.command,
      env: { ...runtime.env, ...platformEnvironment(place), HOSTNAME: id },
      cwd: '/',
      mounts: runtime.mounts,
      lateTargets: [CODE_ROOT, LAYERS_ROOT],
      runDirectory,
      limits: { ...limitsOf(key.memoryMb), cpuShares: WARM_CPU_SHARES },
      network: key.network,
      hostname: id,
    },
  };
}

function newInstanceId(): string {
  return `i-${randomBytes(6).toString('hex')}`;
}

function limitsOf(memoryMb: number): SandboxLimits {
  // Processor time in proportion to memory, as SCF gives it.
  return { memoryMb, cpuShares: memoryMb, pids: PIDS, openFiles: OPEN_FILES, tmpMb: TMP_MB };
}

/** A web function of a language starts its own server, which the agent starts and speaks to. */
function commandOf(state: FunctionState, runtime: Runtime): [string, ...string[]] {
  return state.type === 'HTTP' ? [`${AGENT_ROOT}/agent`, 'web'] : runtime.command;
}

function runtimeMounts(state: FunctionState, { mounts, agent }: Runtime): SandboxMount[] {
  if (state.type !== 'HTTP' || mounts.some(({ target }) => target === AGENT_ROOT)) return [...mounts];
  if (agent === undefined) throw new Error('the agent that runs web functions was not made on this host');
  return [...mounts, { source: agent, target: AGENT_ROOT, readOnly: true }];
}
