import type { InvokeCall, InvokeOutcome, WebResponse } from '@openscf/contracts';

/**
 * Heads of the dispatch hop. Both peers are ours and of one version, so that a few type checks stand in for the schemas of
 * @openscf/contracts on this path: parsing with them costs more than the rest of the hop.
 */

const OUTCOME_KINDS: ReadonlySet<string> = new Set(['succeeded', 'failed', 'throttled', 'refused'] as const);

/** @returns the call, or what is wrong with it */
export function parseCall(head: Buffer): InvokeCall | string {
  const value = parseObject(head);
  if (value === undefined) return 'the head of the call is not a JSON object';
  const call = value as Partial<InvokeCall>;
  for (const field of ['requestId', 'functionKey', 'source', 'qualifier'] as const) {
    if (typeof call[field] !== 'string')
      return `${field} of the call is ${typeof call[field]}; a string is accepted`;
  }
  for (const field of ['revision', 'retryNum'] as const) {
    if (!Number.isInteger(call[field]))
      return `${field} of the call is ${String(call[field])}; an integer is accepted`;
  }
  if (call.invocationType !== 'RequestResponse' && call.invocationType !== 'Event') {
    return `invocationType of the call is ${String(call.invocationType)}; RequestResponse or Event is accepted`;
  }
  if (call.web !== undefined && !isWebRequest(call.web)) {
    return 'web of the call is not accepted: it must hold method, target and headers';
  }
  return call as InvokeCall;
}

function isWebRequest(value: unknown): boolean {
  if (typeof value !== 'object' || value === null) return false;
  const { method, target, headers } = value as Record<string, unknown>;
  return typeof method === 'string' && typeof target === 'string' && isHeaderLines(headers);
}

/** @returns undefined for anything that is not the head of a response */
export function parseResponse(head: Buffer): WebResponse | undefined {
  const value = parseObject(head) as Partial<WebResponse> | undefined;
  if (value === undefined || !isHeaderLines(value.headers)) return undefined;
  const { status } = value;
  return Number.isInteger(status) && status !== undefined && status > 100 && status < 1_000
    ? (value as WebResponse)
    : undefined;
}

function isHeaderLines(value: unknown): boolean {
  return (
    Array.isArray(value) &&
    value.every(
      (line: unknown) =>
        Array.isArray(line) &&
        line.length === 2 &&
        typeof line[0] === 'string' &&
        typeof line[1] === 'string',
    )
  );
}

export function parseOutcome(head: Buffer): InvokeOutcome | undefined {
  const value = parseObject(head) as Partial<InvokeOutcome> | undefined;
  if (value?.kind === undefined || !OUTCOME_KINDS.has(value.kind)) return undefined;
  return value as InvokeOutcome;
}

function parseObject(head: Buffer): object | undefined {
  try {
    const value: unknown = JSON.parse(head.toString('utf8'));
    return typeof value === 'object' && value !== null ? value : undefined;
  } catch {
    return undefined;
  }
}
