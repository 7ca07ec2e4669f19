import { randomBytes } from 'node:crypto';
import { join } from 'node:path';
import type { FunctionState } from '@openscf/contracts';
import type { SandboxSpec } from '@openscf/sandbox-api';
import type { Runtime } from './runtime-catalog.js';

/** Where the user's code lies in an instance. */
export const CODE_ROOT = '/var/user';

/** scf-api Quotas: /tmp 512 MB, 1024 open files, 1024 processes and threads. */
const TMP_MB = 512;
const OPEN_FILES = 1024;
const PIDS = 1024;

/** Facts of the account and the host that every instance gets. */
export interface InstancePlace {
  readonly region: string;
  readonly appId: string;
  readonly uin: string;
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
  readonly handler: string;
  readonly codeRoot: string;
  /** The fields of the context that are the same in all invocations. */
  readonly context: Readonly<Record<string, unknown>>;
  /** Completed with the host folder of the code when that is there. */
  readonly sandbox: (codeDirectory: string) => SandboxSpec;
}

export function makeInstancePlan(state: FunctionState, runtime: Runtime, place: InstancePlace): InstancePlan {
  const id = `i-${randomBytes(6).toString('hex')}`;
  const runDirectory = join(place.runRoot, id);
  return {
    id,
    state,
    runDirectory,
    handler: state.handler,
    codeRoot: place.codeRoot ?? CODE_ROOT,
    context: staticContext(state, place),
    sandbox: (codeDirectory) => ({
      id,
      rootfs: runtime.rootfs,
      command: runtime.command as [string, ...string[]],
      env: environment(state, runtime, place, id),
      cwd: CODE_ROOT,
      mounts: [...runtime.mounts, { source: codeDirectory, target: CODE_ROOT, readOnly: true }],
      runDirectory,
      limits: {
        memoryMb: state.memoryMb,
        // In proportion to memory, as SCF gives processor time.
        cpuShares: state.memoryMb,
        pids: PIDS,
        openFiles: OPEN_FILES,
        tmpMb: TMP_MB,
      },
      network: state.publicNetwork ? 'egress' : 'relays',
      hostname: id,
    }),
  };
}

/** SCF's context (product F2), without what belongs to one invocation. */
function staticContext(state: FunctionState, place: InstancePlace): Record<string, unknown> {
  const variables = Object.entries(state.environment);
  return {
    memory_limit_in_mb: state.memoryMb,
    time_limit_in_ms: state.timeoutMs,
    environment: JSON.stringify({ SCF_NAMESPACE: state.namespace, ...state.environment }),
    // SCF repeats its own variable.
    environ: [['SCF_NAMESPACE', state.namespace], ['SCF_NAMESPACE', state.namespace], ...variables]
      .map(([key, value]) => `${key}=${value}`)
      .join(';'),
    function_version: state.version,
    function_name: state.functionName,
    namespace: state.namespace,
    tencentcloud_region: place.region,
    tencentcloud_appid: place.appId,
    tencentcloud_uin: place.uin,
  };
}

/** scf-api "Environment in instances". Reserved names win over the user's, which the API refuses anyway. */
function environment(
  state: FunctionState,
  runtime: Runtime,
  place: InstancePlace,
  hostname: string,
): Record<string, string> {
  return {
    ...runtime.env,
    ...state.environment,
    HOSTNAME: hostname,
    TENCENTCLOUD_RUNENV: 'SCF',
    TENCENTCLOUD_REGION: place.region,
    TENCENTCLOUD_APPID: place.appId,
    TENCENTCLOUD_UIN: place.uin,
    SCF_RUNTIME: state.runtime,
    SCF_FUNCTIONNAME: state.functionName,
    SCF_FUNCTIONVERSION: state.version,
    SCF_NAMESPACE: state.namespace,
    _SCF_SERVER_PORT: '28902',
  };
}
