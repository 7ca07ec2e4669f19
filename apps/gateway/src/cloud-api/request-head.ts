import type { IncomingMessage } from 'node:http';
import { CallerError } from '@openscf/contracts';
import { type ActionName, API_VERSION, errorCodes, isAction } from '@openscf/scf-api';

const JSON_TYPE = /^application\/json\s*(;|$)/i;

function protocolError(message: string): CallerError {
  return new CallerError(errorCodes.wrongProtocol, message);
}

/**
 * Which action a request asks for. Throws a CallerError for another method, content, version or action than we speak; the
 * body is not needed for it.
 */
export function readAction(request: IncomingMessage): ActionName {
  const { headers, method } = request;
  if (method !== 'POST') {
    throw protocolError(
      `The method ${method} is not accepted: the Cloud API takes POST with TC3-HMAC-SHA256.`,
    );
  }
  const type = headers['content-type'];
  if (type === undefined || !JSON_TYPE.test(type)) {
    throw protocolError(
      `The Content-Type ${JSON.stringify(type ?? '')} is not accepted: it must be application/json.`,
    );
  }
  const encoding = headers['content-encoding'];
  if (encoding !== undefined && encoding !== 'identity') {
    throw protocolError(
      `The Content-Encoding ${JSON.stringify(encoding)} is not accepted: send the body as it is.`,
    );
  }
  const version = headers['x-tc-version'];
  if (version === undefined) throw missing('X-TC-Version', API_VERSION);
  if (version !== API_VERSION) {
    const message = `The version ${JSON.stringify(version)} is not known: X-TC-Version must be ${API_VERSION}.`;
    throw new CallerError(errorCodes.wrongVersion, message);
  }
  const action = headers['x-tc-action'];
  if (action === undefined) throw missing('X-TC-Action', 'the name of an action, for example InvokeFunction');
  if (typeof action === 'string' && isAction(action)) return action;
  throw new CallerError(errorCodes.unknownAction, `The action ${JSON.stringify(action)} is not known here.`);
}

function missing(header: string, accepts: string): CallerError {
  return new CallerError(errorCodes.missing, `The header ${header} is missing: it must be ${accepts}.`);
}
