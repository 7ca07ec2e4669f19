import { CallerError } from '@openscf/contracts';
import {
  type Action,
  type ActionName,
  actions,
  errorCodes,
  REQUEST_BYTES,
  SYNC_EVENT_BYTES,
} from '@openscf/scf-api';

/** What the body of an action may weigh, and how a heavier one is refused. */
export interface BodyLimit {
  maxBytes: number;
  tooLarge(bytes: number): CallerError;
}

function limit(maxBytes: number, code: string, accepts: string): BodyLimit {
  return {
    maxBytes,
    tooLarge: (bytes) => new CallerError(code, `The request has ${bytes} bytes or more: ${accepts}.`),
  };
}

/** Base64 takes 4 characters for 3 bytes. */
function zipLimit(maxZipBytes: number): BodyLimit {
  const maxBytes = Math.ceil(maxZipBytes / 3) * 4 + REQUEST_BYTES;
  const accepts = `ZipFile must be at most ${maxZipBytes} bytes before it is written as base64`;
  return limit(maxBytes, errorCodes.requestTooLarge, accepts);
}

/** An event inside a JSON text may be twice its size: every quote in it is escaped, some clients write \uXXXX. */
const invokeLimit = limit(
  SYNC_EVENT_BYTES * 2 + REQUEST_BYTES,
  errorCodes.eventTooLarge,
  `an event must be at most ${SYNC_EVENT_BYTES} bytes`,
);
const plainLimit = limit(REQUEST_BYTES, errorCodes.requestTooLarge, `it must be at most ${REQUEST_BYTES}`);

function limitOf(action: Action): BodyLimit {
  if (action.owner === 'gateway') return invokeLimit;
  return action.maxZipBytes === undefined ? plainLimit : zipLimit(action.maxZipBytes);
}

const limits = new Map<string, BodyLimit>(
  Object.entries<Action>(actions).map(([name, action]) => [name, limitOf(action)]),
);

export function bodyLimit(action: ActionName): BodyLimit {
  return limits.get(action) ?? plainLimit;
}
