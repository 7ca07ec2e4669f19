import type { IncomingMessage } from 'node:http';
import { CallerError, type Caller } from '@openscf/contracts';
import { errorCodes, readAuthorization, UNSIGNED_PAYLOAD, UNSIGNED_PAYLOAD_SHA256 } from '@openscf/scf-api';
import type { KeyRing } from './key-ring.js';

/** A request whose head is in order. What it asks for may only be done after `check`. */
export interface Claim {
  caller: Caller;
  /** True when the client signed a literal in place of the body's hash. */
  unsignedPayload: boolean;
  /** Throws AuthFailure.SignatureFailure unless the caller's key signed head and body. `bodySha256` is hex. */
  check(bodySha256: string): void;
}

/** Checks signatures in two steps: what the head alone tells, before the body is read; and the rest, when its hash is known. */
export class Authenticator {
  constructor(
    private readonly keyRing: KeyRing,
    private readonly now: () => number = Date.now,
  ) {}

  /** Throws a CallerError AuthFailure.* for a malformed header, a clock that is off, or a key that is not known. */
  claim(request: IncomingMessage): Claim {
    const { headers, method = '', url = '' } = request;
    const authorization = readAuthorization(headers, this.now());
    const { caller, key } = this.keyRing.signer(authorization);
    const unsignedPayload = headers['x-tc-content-sha256'] === UNSIGNED_PAYLOAD;
    const queryAt = url.indexOf('?');
    const path = queryAt < 0 ? url : url.slice(0, queryAt);
    const signed = { method, path, query: queryAt < 0 ? '' : url.slice(queryAt + 1), headers };
    return {
      caller,
      unsignedPayload,
      check(bodySha256) {
        if (key.matches(signed, authorization, unsignedPayload ? UNSIGNED_PAYLOAD_SHA256 : bodySha256))
          return;
        const message =
          'The signature does not match the request: the secret key is another one, or the request was changed on its way.';
        throw new CallerError(errorCodes.signatureWrong, message);
      },
    };
  }
}
