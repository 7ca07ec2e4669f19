import { CallerError } from '@openscf/contracts';
import { errorCodes } from '@openscf/scf-api';

const SPACE = /[ \t\r\n]/g;
const PADDED_END = /^[A-Za-z0-9+/_-]*={0,2}$/;

function notBase64(): CallerError {
  const message =
    'ZipFile is not accepted: it must be the base64 text of a zip, without anything before or after it.';
  return new CallerError(errorCodes.badBase64, message);
}

/** Base64 that comes in pieces of any length. Strict: Node's own decoder skips what it does not know. */
export class Base64Decoder {
  private carry = '';
  private padded = false;

  /** The bytes of the whole groups of four so far. Throws a CallerError for anything that is not base64. */
  push(piece: string): Buffer {
    const text = this.carry + (/\s/.test(piece) ? piece.replace(SPACE, '') : piece);
    const whole = text.length - (text.length % 4);
    this.carry = text.slice(whole);
    return this.decode(text.slice(0, whole));
  }

  /** What is left at the end; the padding may be missing. */
  end(): Buffer {
    const rest = this.carry;
    this.carry = '';
    if (rest.length === 1) throw notBase64();
    return this.decode(rest);
  }

  private decode(text: string): Buffer {
    if (text === '') return Buffer.alloc(0);
    if (this.padded) throw notBase64();
    const bytes = Buffer.from(text, 'base64');
    // Whatever is skipped is missing in the length; only padding may be, and only at the end.
    if (bytes.length * 4 !== text.length * 3) {
      const tail = text.slice(-4);
      const head = text.slice(0, -4);
      const expected = (head.length / 4) * 3 + Math.floor((tail.replace(/=/g, '').length * 3) / 4);
      if (!PADDED_END.test(tail) || bytes.length !== Math.floor(expected)) throw notBase64();
      this.padded = true;
    }
    return bytes;
  }
}
