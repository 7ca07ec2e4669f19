import type { FunctionState } from '@openscf/contracts';
import type { WebCall } from '@openscf/dispatch';

/** Facts of the account that every request carries. */
export interface WebPlace {
  readonly region: string;
  readonly appId: string;
  readonly uin: string;
}

const OWN = /^x-scf-/i;
/** The gateway's word, not the client's: it sets this one itself. */
const FROM_GATEWAY = 'x-scf-remote-addr';

/** The head of a `request` frame: the caller's, with SCF's headers (scf-api, Web function) in place of any that it made up. */
export function makeRequestHead(
  { requestId, web }: WebCall,
  state: FunctionState,
  { region, appId, uin }: WebPlace,
  traceparent: string | undefined,
): Readonly<Record<string, unknown>> {
  const headers = web.headers.filter(([name]) => !OWN.test(name) || name.toLowerCase() === FROM_GATEWAY);
  headers.push(
    ['X-Scf-Request-Id', requestId],
    ['X-Scf-Memory', String(state.memoryMb)],
    // In ms, as a capture of the real service shows it.
    ['X-Scf-Timeout', String(state.timeoutMs)],
    ['X-Scf-Version', state.version],
    ['X-Scf-Name', state.functionName],
    ['X-Scf-Namespace', state.namespace],
    ['X-Scf-Region', region],
    ['X-Scf-Appid', appId],
    ['X-Scf-Uin', uin],
  );
  const { method, target } = web;
  return {
    request_id: requestId,
    ...(traceparent !== undefined && { traceparent }),
    method,
    target,
    headers,
  };
}
