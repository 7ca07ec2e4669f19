// Keys that the first start makes. All files are 0600; none is ever changed once made.
import { randomBytes, randomInt } from 'node:crypto';
import { linkSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import type { Home } from './home.ts';

export interface Keys {
  secretId: string;
  secretKey: string;
  /** S3 user for people: reaches the users' buckets, not the platform's own. */
  minioAccessKey: string;
  minioSecretKey: string;
  minioRootUser: string;
  minioRootPassword: string;
  postgresPassword: string;
}

export function openKeys(home: Home): Keys {
  makeOnce(home.masterKeyFile, `${randomBytes(32).toString('hex')}\n`);
  makeOnce(home.postgresPasswordFile, alphanumeric(32));
  makeOnce(
    home.minioRootFile,
    lines({ MINIO_ROOT_USER: alphanumeric(20), MINIO_ROOT_PASSWORD: alphanumeric(40) }),
  );
  makeOnce(
    home.credentialsFile,
    lines({
      TENCENTCLOUD_SECRET_ID: `AKID${alphanumeric(32)}`,
      TENCENTCLOUD_SECRET_KEY: alphanumeric(32),
      MINIO_ACCESS_KEY: alphanumeric(20),
      MINIO_SECRET_KEY: alphanumeric(40),
    }),
  );
  const credentials = readLines(home.credentialsFile);
  const minioRoot = readLines(home.minioRootFile);
  return {
    secretId: credentials('TENCENTCLOUD_SECRET_ID'),
    secretKey: credentials('TENCENTCLOUD_SECRET_KEY'),
    minioAccessKey: credentials('MINIO_ACCESS_KEY'),
    minioSecretKey: credentials('MINIO_SECRET_KEY'),
    minioRootUser: minioRoot('MINIO_ROOT_USER'),
    minioRootPassword: minioRoot('MINIO_ROOT_PASSWORD'),
    postgresPassword: readFileSync(home.postgresPasswordFile, 'utf8').trim(),
  };
}

/** Whole file or no file: a crash between never leaves half a key behind. */
function makeOnce(file: string, content: string): void {
  const draft = `${file}.${process.pid}.new`;
  writeFileSync(draft, content, { mode: 0o600 });
  try {
    linkSync(draft, file);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
  } finally {
    rmSync(draft, { force: true });
  }
}

function alphanumeric(length: number): string {
  const letters = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789';
  return Array.from({ length }, () => letters[randomInt(letters.length)]).join('');
}

function lines(values: Record<string, string>): string {
  return Object.entries(values)
    .map(([name, value]) => `${name}=${value}\n`)
    .join('');
}

function readLines(file: string): (name: string) => string {
  const values = new Map(
    readFileSync(file, 'utf8')
      .split('\n')
      .map((line) => [line.slice(0, line.indexOf('=')).trim(), line.slice(line.indexOf('=') + 1).trim()]),
  );
  return (name) => {
    const value = values.get(name);
    if (!value)
      throw new Error(`${file} has no line ${name}=…: add it, or remove the file to have a new one made.`);
    return value;
  };
}
