/** Where zips lie in the platform's bucket. */
export const UPLOAD_PREFIX = 'uploads/';
export const CODE_PREFIX = 'code/';

const UPLOAD_KEY = /^uploads\/[\w-]+(\.zip)?$/;
const CODE_KEY = /^code\/([0-9a-f]{64})\.zip$/;

/** The key of a package, found by the hex SHA-256 of its bytes. */
export function codeKey(sha256: string): string {
  return `${CODE_PREFIX}${sha256}.zip`;
}

export function isUploadKey(key: string): boolean {
  return UPLOAD_KEY.test(key);
}

/** The hash in a package's key, or undefined when the key is not one. */
export function sha256OfKey(key: string): string | undefined {
  return CODE_KEY.exec(key)?.[1];
}
