import type { FunctionState } from '@openscf/contracts';
import type { SandboxNetwork } from '@openscf/sandbox-api';
import type { Runtime } from './runtime-catalog.js';

/**
 * What instances of the warm pool are told apart by: what cannot be changed once the process runs. Memory is one of it,
 * because languages size their heaps by the limit that they find at their start.
 */
export interface WarmKey {
  readonly runtime: string;
  readonly network: SandboxNetwork;
  readonly memoryMb: number;
}

/**
 * Languages whose bootstrap can be given its code and variables after its start. Java's cannot enter the code's folder then: a
 * virtual machine stays where it was started.
 */
const LATE_INIT: ReadonlySet<string> = new Set(['nodejs', 'python', 'php']);
/** Variables that a process, its loader or its language reads once, when it starts. */
const READ_AT_START =
  /^(NODE_.*|UV_.*|V8_.*|OPENSSL_.*|SSL_CERT_.*|PYTHON.*|JAVA_.*|_JAVA_OPTIONS|JDK_.*|PHP.*|LD_.*|MALLOC_.*|GLIBC_.*|GODEBUG|GOGC|GOMAXPROCS|PATH|HOME|TZ|LANG|LANGUAGE|LC_.*|TMPDIR|ICU_DATA|http_proxy|https_proxy)$/;

/** @returns undefined for a function that must be started as a whole */
export function warmKeyOf(state: FunctionState, runtime: Runtime): WarmKey | undefined {
  if (state.type !== 'Event' || state.code.kind !== 'package') return undefined;
  if (!LATE_INIT.has(runtime.language) || state.sharedDirectories.length > 0) return undefined;
  if (Object.keys(state.environment).some((name) => READ_AT_START.test(name))) return undefined;
  return { runtime: runtime.name, network: networkOf(state), memoryMb: state.memoryMb };
}

export function networkOf(state: Pick<FunctionState, 'publicNetwork'>): SandboxNetwork {
  return state.publicNetwork ? 'egress' : 'relays';
}

export function warmKeyText({ runtime, network, memoryMb }: WarmKey): string {
  return `${runtime}/${network}/${memoryMb}`;
}
