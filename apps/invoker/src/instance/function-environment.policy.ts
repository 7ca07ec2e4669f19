import type { FunctionState } from '@openscf/contracts';

/** Facts of the account and the region that every instance gets. */
export interface AccountPlace {
  readonly region: string;
  readonly appId: string;
  readonly uin: string;
}

/** scf-api "Environment in instances", the part that is the same for all functions of a runtime. */
export function platformEnvironment(place: AccountPlace): Record<string, string> {
  return {
    TENCENTCLOUD_RUNENV: 'SCF',
    TENCENTCLOUD_REGION: place.region,
    TENCENTCLOUD_APPID: place.appId,
    TENCENTCLOUD_UIN: place.uin,
    _SCF_SERVER_PORT: '28902',
  };
}

/** The function's part. Reserved names win over the user's, which the API refuses anyway. */
export function functionEnvironment(state: FunctionState, place: AccountPlace): Record<string, string> {
  return {
    ...state.environment,
    ...platformEnvironment(place),
    SCF_RUNTIME: state.runtime,
    SCF_FUNCTIONNAME: state.functionName,
    SCF_FUNCTIONVERSION: state.version,
    SCF_NAMESPACE: state.namespace,
  };
}

/** SCF's context (product F2), without what belongs to one invocation. */
export function staticContext(state: FunctionState, place: AccountPlace): Record<string, unknown> {
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
