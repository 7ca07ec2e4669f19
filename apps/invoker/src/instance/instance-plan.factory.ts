import { randomBytes } from 'node:crypto';
import { join } from 'node:path';
import type { FunctionState, ImageCode } from '@openscf/contracts';
import type { SandboxLimits, SandboxMount, SandboxSpec } from '@openscf/sandbox-api';
import { imageCommand, imageEnvironment, isJob } from '../image-store/image-command.policy.js';
import type { UnpackedImage } from '../image-store/image-store.types.js';
import {
  functionEnvironment,
  platformEnvironment,
  staticContext,
  type AccountPlace,
} from './function-environment.policy.js';
import type { InstanceFiles } from './instance.types.js';
import type { Runtime } from './runtime-catalog.js';
import { networkOf, warmKeyOf, type WarmKey } from './warm-key.policy.js';

/** Where the user's code and the layers lie in an instance. */
export const CODE_ROOT = '/var/user';
export const LAYERS_ROOT = '/opt';
export const COMPILE_CACHE_ROOT = '/var/cache/openscf';
/** Where the program lies that runs what no bootstrap of a language does. */
const AGENT_ROOT = '/var/runtime/agent';
const AGENT = `${AGENT_ROOT}/agent`;
const AGENT_SPEAKS_FIRST_MS = 1_000;

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
  /** Does the root file system have a place for compile caches? */
  readonly compileCache?: boolean;
  /** Host folder that holds one folder per instance. */
  readonly runRoot: string;
}

type FilesOfPlan = Pick<InstanceFiles, 'mounts' | 'image' | 'compileCache'>;
type Program = Pick<SandboxSpec, 'rootfs' | 'command' | 'cwd' | 'pidOne'>;

/** Everything that is known of an instance before it is started. */
export interface InstancePlan {
  readonly id: string;
  readonly state: FunctionState;
  readonly runDirectory: string;
  readonly initTimeoutMs: number;
  readonly limits: SandboxLimits;
  /** What pooled instance may become this one; undefined when none may. */
  readonly warmKey: WarmKey | undefined;
  /** Head of the init frame. */
  readonly init: (files: FilesOfPlan) => Readonly<Record<string, unknown>>;
  readonly sandbox: (files: FilesOfPlan) => SandboxSpec;
}

export function makeInstancePlan(state: FunctionState, runtime: Runtime, place: InstancePlace): InstancePlan {
  const id = newInstanceId();
  const runDirectory = join(place.runRoot, id);
  const environment = functionEnvironment(state, place);
  const limits = limitsOf(state.memoryMb);
  const byAgent = state.type === 'HTTP' || state.code.kind === 'image';
  return {
    id,
    state,
    runDirectory,
    limits,
    // The agent says itself, and says more, when nothing listens in time.
    initTimeoutMs: state.initTimeoutMs + (byAgent ? AGENT_SPEAKS_FIRST_MS : 0),
    warmKey: warmKeyOf(state, runtime),
    init: ({ image, compileCache }) => ({
      handler: state.handler,
      codeRoot: place.codeRoot ?? CODE_ROOT,
      context: staticContext(state, place),
      environment,
      initTimeoutMs: state.initTimeoutMs,
      ...(compileCache && { compileCache }),
      ...(state.code.kind === 'image' && image && imageInit(state, state.code, image)),
    }),
    sandbox: ({ mounts, image }) => ({
      id,
      ...(image === undefined ? programOf(state, runtime) : imageProgram(state, runtime, image)),
      env: { ...(image ? imageEnvironment(image.config) : runtime.env), ...environment, HOSTNAME: id },
      mounts: [...(byAgent ? withAgent(runtime) : runtime.mounts), ...mounts],
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
      lateTargets: [CODE_ROOT, LAYERS_ROOT, ...(place.compileCache ? [COMPILE_CACHE_ROOT] : [])],
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
function programOf(state: FunctionState, { rootfs, command }: Runtime): Program {
  return { rootfs, command: state.type === 'HTTP' ? [AGENT, 'web'] : command, cwd: CODE_ROOT };
}

/** An image is run by the agent, which is its pid 1 too: there may be no shell in it. */
function imageProgram({ code }: FunctionState, { agent }: Runtime, { rootfs }: UnpackedImage): Program {
  const mode = code.kind === 'image' && isJob(code) ? 'job' : 'image';
  const pidOne = agent === undefined ? {} : { pidOne: join(agent, 'agent') };
  return { rootfs, command: [AGENT, mode], cwd: '/', ...pidOne };
}

/** What the head of init has more for an image: libs/runtimes/README.md. */
function imageInit({ type }: FunctionState, code: ImageCode, { config }: UnpackedImage): object {
  return { type, command: imageCommand(code, config), workDir: config.workingDir, port: code.port };
}

function withAgent({ mounts, agent }: Runtime): readonly SandboxMount[] {
  if (mounts.some(({ target }) => target === AGENT_ROOT)) return mounts;
  if (agent === undefined)
    throw new Error('the agent, which starts such functions, was not made on this host');
  return [...mounts, { source: agent, target: AGENT_ROOT, readOnly: true }];
}
