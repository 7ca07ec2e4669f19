import { randomBytes } from 'node:crypto';
import { CallerError } from '@openscf/contracts';
import { ZIP_TAKEN_OUT } from '@openscf/scf-api';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { ZipFieldScanner } from './zip-field.scanner.js';

function scan(body: string, chunkBytes = 7) {
  const zip: Buffer[] = [];
  const scanner = new ZipFieldScanner((bytes) => zip.push(bytes));
  const bytes = Buffer.from(body);
  for (let at = 0; at < bytes.length; at += chunkBytes) scanner.push(bytes.subarray(at, at + chunkBytes));
  const rest: unknown = JSON.parse(scanner.rest().toString());
  return { zip: Buffer.concat(zip), rest, found: scanner.found };
}

function codeOf(body: string): string {
  try {
    scan(body);
  } catch (error) {
    if (error instanceof CallerError) return error.code;
    throw error;
  }
  return 'accepted';
}

describe('the zip of a request', () => {
  it.each([0, 1, 2, 3, 4, 1000])(
    'of %i bytes is decoded whatever the chunks are, and the rest is kept',
    (size) => {
      const content = randomBytes(size);
      for (const chunkBytes of [1, 2, 3, 5, 64, 100_000]) {
        const body = JSON.stringify({
          FunctionName: 'hello',
          Code: { ZipFile: content.toString('base64') },
          Timeout: 3,
        });
        const { zip, rest, found } = scan(body, chunkBytes);
        expect(found).toBe(true);
        expect(zip.equals(content)).toBe(true);
        expect(rest).toEqual({ FunctionName: 'hello', Code: { ZipFile: ZIP_TAKEN_OUT }, Timeout: 3 });
      }
    },
  );

  it('is found at the top too, and with escapes that clients write', () => {
    const content = Buffer.from([0xff, 0xef, 0xfe, 0x01]);
    const text = content.toString('base64');
    expect(text).toBe('/+/+AQ==');
    const written = text.replaceAll('/', '\\/').replaceAll('=', '\\u003d').replaceAll('+', '\\u002B\\n');
    for (const chunkBytes of [1, 2, 3, 4, 5, 6, 100]) {
      expect(scan(`{"ZipFile" : "${written}"}`, chunkBytes).zip.equals(content)).toBe(true);
    }
    expect(scan(`{"Z\\u0069pFile":"${text}"}`).zip.equals(content)).toBe(true);
  });

  it('is not looked for elsewhere', () => {
    const inner = { ZipFile: 'AAAA' };
    const body = {
      Environment: { Variables: [inner, { Key: 'ZipFile', Value: 'ZipFile' }] },
      Other: inner,
      X: ['ZipFile', 'AAAA'],
    };
    const { rest, found } = scan(JSON.stringify(body));
    expect(found).toBe(false);
    expect(rest).toEqual(body);
    expect(scan('{"Code":{"Inner":{"ZipFile":"AAAA"}}}').found).toBe(false);
    expect(scan('{"Code":[{"ZipFile":"AAAA"}]}').found).toBe(false);
    expect(scan('{"Code":{"ZipFile":null}}').found).toBe(false);
  });

  it.each([
    ['a letter that is none', '{"ZipFile":"AA*A"}'],
    ['one letter too many', '{"ZipFile":"AAAAA"}'],
    ['padding in the middle', '{"ZipFile":"AA==AAAA"}'],
    ['too much padding', '{"ZipFile":"A==="}'],
    ['a cut escape', '{"ZipFile":"AAAA\\u00"}'],
    ['text beyond ASCII', '{"ZipFile":"中文中文"}'],
  ])('with %s is refused', (_what, body) => {
    expect(codeOf(body)).toBe('InvalidParameterValue.ZipFileBase64BinasciiError');
  });

  it('is found in the content of a layer too', () => {
    expect(scan('{"LayerName":"l","Content":{"ZipFile":"AAAA"}}').found).toBe(true);
    expect(scan('{"Context":{"ZipFile":"AAAA"}}').found).toBe(false);
  });

  it('may come once, and the rest may have 1 MB', () => {
    expect(codeOf('{"ZipFile":"AAAA","Code":{"ZipFile":"AAAA"}}')).toBe('InvalidParameterValue.ZipFile');
    expect(codeOf(JSON.stringify({ Description: 'x'.repeat(1024 * 1024) }))).toBe('RequestSizeLimitExceeded');
    expect(codeOf('['.repeat(100))).toBe('InvalidParameter');
  });
});

it('leaves every other JSON body as it was', () => {
  fc.assert(
    fc.property(fc.json(), fc.integer({ min: 1, max: 50 }), (body, chunkBytes) => {
      expect(scan(body, chunkBytes).rest).toEqual(JSON.parse(body));
    }),
  );
});
