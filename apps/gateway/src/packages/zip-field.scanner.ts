import { CallerError } from '@openscf/contracts';
import { errorCodes, REQUEST_BYTES, ZIP_TAKEN_OUT } from '@openscf/scf-api';
import { Base64Decoder } from './base64.decoder.js';

const QUOTE = 0x22;
const BACKSLASH = 0x5c;
const OPEN_OBJECT = 0x7b;
const CLOSE_OBJECT = 0x7d;
const OPEN_LIST = 0x5b;
const CLOSE_LIST = 0x5d;
const COLON = 0x3a;
const COMMA = 0x2c;
const SPACE = 0x20;

const MAX_DEPTH = 64;
const FIELD = 'ZipFile';
/** Of a function's code; of a layer's. */
const PARENTS: ReadonlySet<string | undefined> = new Set(['Code', 'Content']);
const PLACEHOLDER = Buffer.from(ZIP_TAKEN_OUT);

/** An object or a list that is open at the current place. */
interface Container {
  isObject: boolean;
  /** The key whose value is being read; undefined between members. */
  key: string | undefined;
}

/**
 * Takes the text of `ZipFile`, at the top or in `Code` or `Content`, out of a JSON body while the body arrives: its bytes go to `onZip`, and
 * everything else, with `ZIP_TAKEN_OUT` in its place, is kept for JSON.parse, which alone decides whether the body is JSON.
 * States: `outside` strings; inside a `string`; inside the `zip` text.
 * Invariants: (1) at most REQUEST_BYTES are kept; (2) at most one zip is taken; (3) memory does not grow with the zip.
 */
export class ZipFieldScanner {
  private state: 'outside' | 'string' | 'zip' = 'outside';
  private readonly open: Container[] = [];
  private readonly kept: Buffer[] = [];
  private keptBytes = 0;
  /** Raw text of the string being read when it is a key. */
  private keyText: string | undefined;
  private escaped = false;
  /** A colon has been read, and not yet the value after it. */
  private valueFollows = false;
  /** An escape sequence of the zip text that the end of a chunk has cut. */
  private cutEscape = '';
  private readonly decoder = new Base64Decoder();
  found = false;

  constructor(private readonly onZip: (bytes: Buffer) => void) {}

  /** Throws a CallerError when the zip is no base64, comes twice, or the rest is too large. */
  push(chunk: Buffer): void {
    let at = 0;
    while (at < chunk.length) {
      at = this.state === 'zip' ? this.scanZip(chunk, at) : this.scanJson(chunk, at);
    }
  }

  /** The body without the zip, at its end. */
  rest(): Buffer {
    return Buffer.concat(this.kept, this.keptBytes);
  }

  /** Scans from `from` until the zip begins or the chunk ends, and keeps what was scanned. */
  private scanJson(chunk: Buffer, from: number): number {
    let at = from;
    while (at < chunk.length && this.state !== 'zip') {
      const byte = chunk[at] ?? 0;
      at += 1;
      if (this.state === 'string') this.stringByte(byte);
      else this.outsideByte(byte);
    }
    this.keep(chunk.subarray(from, at));
    if (this.state === 'zip') this.keep(PLACEHOLDER);
    return at;
  }

  private stringByte(byte: number): void {
    if (this.keyText !== undefined && (this.escaped || byte !== QUOTE))
      this.keyText += String.fromCharCode(byte);
    if (this.escaped) this.escaped = false;
    else if (byte === BACKSLASH) this.escaped = true;
    else if (byte === QUOTE) this.endString();
  }

  private endString(): void {
    this.state = 'outside';
    const container = this.open.at(-1);
    if (this.keyText === undefined || container === undefined) return;
    container.key = readKey(this.keyText);
    this.keyText = undefined;
  }

  private outsideByte(byte: number): void {
    if (byte <= SPACE) return;
    if (byte === QUOTE) this.beginString();
    else if (byte === OPEN_OBJECT || byte === OPEN_LIST) this.enter(byte === OPEN_OBJECT);
    else if (byte === CLOSE_OBJECT || byte === CLOSE_LIST) this.open.pop();
    else if (byte === COMMA) this.nextMember();
    else if (byte === COLON) this.valueFollows = true;
  }

  private beginString(): void {
    const container = this.open.at(-1);
    if (this.valueFollows && this.isZipField()) {
      if (this.found)
        throw new CallerError(errorCodes.badZipFile, 'ZipFile is given twice: it must be given once.');
      this.found = true;
      this.valueFollows = false;
      this.state = 'zip';
      return;
    }
    const isKey = container?.isObject === true && !this.valueFollows;
    this.valueFollows = false;
    this.keyText = isKey ? '' : undefined;
    this.state = 'string';
  }

  private enter(isObject: boolean): void {
    if (this.open.length >= MAX_DEPTH) {
      throw new CallerError(errorCodes.invalid, `The body is nested deeper than ${MAX_DEPTH} levels.`);
    }
    this.valueFollows = false;
    this.open.push({ isObject, key: undefined });
  }

  private nextMember(): void {
    this.valueFollows = false;
    const container = this.open.at(-1);
    if (container) container.key = undefined;
  }

  private isZipField(): boolean {
    const [top, inner] = this.open;
    if (this.open.length === 1) return top?.key === FIELD;
    return this.open.length === 2 && PARENTS.has(top?.key) && inner?.isObject === true && inner.key === FIELD;
  }

  /** Decodes from `from` until the text ends or the chunk does. */
  private scanZip(chunk: Buffer, from: number): number {
    const quoteAt = this.endOfZip(chunk, from);
    const end = quoteAt < 0 ? chunk.length : quoteAt;
    const text = this.cutEscape + chunk.toString('latin1', from, end);
    this.cutEscape = '';
    this.onZip(this.decoder.push(text.includes('\\') ? this.unescape(text) : text));
    if (quoteAt < 0) return chunk.length;
    if (this.cutEscape !== '')
      throw new CallerError(errorCodes.badBase64, 'ZipFile ends inside an escape sequence.');
    this.onZip(this.decoder.end());
    this.state = 'outside';
    // The closing quote belongs to the rest.
    this.keep(chunk.subarray(quoteAt, quoteAt + 1));
    return quoteAt + 1;
  }

  /** No base64 text holds a quote, escaped or not, so the first one ends it. */
  private endOfZip(chunk: Buffer, from: number): number {
    return chunk.indexOf(QUOTE, from);
  }

  /** Some clients write `/` as `\/` and `=` as `\u003d`. */
  private unescape(text: string): string {
    const cut = /\\(u[0-9a-fA-F]{0,3})?$/.exec(text);
    const whole = cut ? text.slice(0, cut.index) : text;
    if (cut) this.cutEscape = cut[0];
    return whole.replace(/\\(?:u([0-9a-fA-F]{4})|(.))/gs, (_all, hex?: string, plain?: string) =>
      hex === undefined ? plainEscape(plain ?? '') : String.fromCharCode(Number.parseInt(hex, 16)),
    );
  }

  private keep(bytes: Buffer): void {
    this.keptBytes += bytes.length;
    if (this.keptBytes > REQUEST_BYTES) {
      const message = `The request without its ZipFile has more than ${REQUEST_BYTES} bytes: it must be at most that.`;
      throw new CallerError(errorCodes.requestTooLarge, message);
    }
    // A copy: the rest outlives the chunk, and must not hold on to all of it.
    this.kept.push(Buffer.from(bytes));
  }
}

function plainEscape(letter: string): string {
  return letter === 'n' || letter === 'r' || letter === 't' ? '' : letter;
}

/** JSON.parse will complain about a key that is none; here it is just another key. */
function readKey(raw: string): string {
  if (!raw.includes('\\')) return raw;
  try {
    const key: unknown = JSON.parse(`"${raw}"`);
    return typeof key === 'string' ? key : raw;
  } catch {
    return raw;
  }
}
