import { PlatformError } from '@openscf/contracts';

export interface KeyPair {
  secretId: string;
  secretKey: string;
}

/** The credentials file cannot be used. The message never holds a secret. */
export class CredentialsFileError extends PlatformError {
  constructor(message: string, cause?: unknown) {
    super(message, { code: 'InternalError.System', fault: 'platform', retryable: false, cause });
  }
}

const SECRET_ID = /^[A-Za-z0-9_-]{1,128}$/;
const SECRET_KEY = /^[\x21-\x7e]{8,256}$/;

/** Reads `NAME=value` lines; others than the two it needs are left alone. */
export function parseCredentialsFile(path: string, content: string): KeyPair {
  const values = new Map<string, string>();
  for (const line of content.split(/\r?\n/)) {
    const match = /^\s*(?:export\s+)?([A-Z_]+)\s*=\s*"?([^"]*?)"?\s*$/.exec(line);
    if (match?.[1] !== undefined && match[2] !== undefined) values.set(match[1], match[2]);
  }
  const read = (name: string, accepted: RegExp, accepts: string): string => {
    const value = values.get(name);
    if (value !== undefined && accepted.test(value)) return value;
    const what = value === undefined ? 'is missing' : 'is not accepted';
    throw new CredentialsFileError(`${name} ${what} in ${path}: it must be ${accepts}.`);
  };
  return {
    secretId: read('TENCENTCLOUD_SECRET_ID', SECRET_ID, '1 to 128 letters, digits, _ and -'),
    secretKey: read('TENCENTCLOUD_SECRET_KEY', SECRET_KEY, '8 to 256 printable characters without spaces'),
  };
}
