import { CallerError, DEFAULT_ALIAS, DEFAULT_NAMESPACE, LATEST } from '@openscf/contracts';
import { actions, ASYNC_EVENT_BYTES, errorCodes, parseShape, SYNC_EVENT_BYTES } from '@openscf/scf-api';

export type InvokeAction = 'Invoke' | 'InvokeFunction';

/** What a caller of Invoke or InvokeFunction asks for. */
export interface InvokeRequest {
  namespace: string;
  functionName: string;
  qualifier: string;
  /** JSON text. */
  event: Buffer;
  isAsync: boolean;
  logTail: boolean;
}

const NO_EVENT = '{}';

/**
 * Reads the body of an invoke by hand, because a schema costs as much as everything else on the way; whatever is not the plain case goes
 * through the action's shape, which fills in defaults and words the refusals. Throws a CallerError.
 */
export function readInvoke(action: InvokeAction, body: Record<string, unknown>): InvokeRequest {
  const fields = isPlain(body) ? body : parseShape(actions[action].request, body);
  const text =
    (action === 'Invoke' ? readText(fields, 'ClientContext') : readText(fields, 'Event')) || NO_EVENT;
  const isAsync = action === 'Invoke' && readText(fields, 'InvocationType') === 'Event';
  const fallback = action === 'Invoke' ? LATEST : DEFAULT_ALIAS;
  return {
    namespace: readText(fields, 'Namespace') || DEFAULT_NAMESPACE,
    functionName: readText(fields, 'FunctionName') ?? '',
    qualifier: readText(fields, 'Qualifier') || fallback,
    event: readEvent(action === 'Invoke' ? 'ClientContext' : 'Event', text, isAsync),
    isAsync,
    logTail: readText(fields, 'LogType') === 'Tail',
  };
}

const PLAIN_NAME = /^[A-Za-z][\w-]{0,58}[A-Za-z0-9]$/;
const PLAIN_VERSION = /^[1-9]\d{0,8}$/;
const PLAIN_VALUES: Record<string, (value: string) => boolean> = {
  FunctionName: (value) => PLAIN_NAME.test(value),
  Namespace: (value) => value === DEFAULT_NAMESPACE,
  Qualifier: (value) => value === LATEST || value === DEFAULT_ALIAS || PLAIN_VERSION.test(value),
  LogType: (value) => value === 'None' || value === 'Tail',
  InvocationType: (value) => value === 'RequestResponse' || value === 'Event',
  ClientContext: () => true,
  Event: () => true,
};

/** True when every field is one that needs no shape to be understood, and a function is named. */
function isPlain(body: Record<string, unknown>): boolean {
  let named = false;
  for (const name in body) {
    const value = body[name];
    const accepts = PLAIN_VALUES[name];
    if (accepts === undefined || typeof value !== 'string' || !accepts(value)) return false;
    if (name === 'FunctionName') named = true;
  }
  return named;
}

function readText(fields: object, name: string): string | undefined {
  const value: unknown = fields[name as keyof typeof fields];
  return typeof value === 'string' ? value : undefined;
}

function readEvent(field: string, text: string, isAsync: boolean): Buffer {
  const event = Buffer.from(text);
  const maxBytes = isAsync ? ASYNC_EVENT_BYTES : SYNC_EVENT_BYTES;
  if (event.length > maxBytes) {
    const kind = isAsync ? 'an async' : 'a sync';
    const message = `${field} has ${event.length} bytes: the event of ${kind} call must be at most ${maxBytes}.`;
    throw new CallerError(errorCodes.eventTooLarge, message);
  }
  try {
    JSON.parse(text);
  } catch {
    throw new CallerError(errorCodes.badParam, `${field} is not accepted: it must be JSON text.`);
  }
  return event;
}
