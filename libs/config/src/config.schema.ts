import { homedir } from 'node:os';
import { isAbsolute, resolve } from 'node:path';
import { z } from 'zod';

/** A whole number between two bounds, both included. */
export function integer(min: number, max: number = Number.MAX_SAFE_INTEGER): z.ZodType<number> {
  return z
    .string()
    .trim()
    .regex(/^-?\d+$/, 'not a whole number')
    .transform(Number)
    .pipe(z.number().int().min(min).max(max));
}

/** A TCP port that can be listened on; 0 lets the system choose. */
export const port: z.ZodType<number> = integer(0, 65_535);

/** Text that is not empty. */
export const text: z.ZodType<string> = z.string().trim().min(1);

/** Text that may be missing. */
export const optionalText: z.ZodType<string | undefined> = z.string().trim().min(1).optional();

/** `true` or `false`. */
export const flag: z.ZodType<boolean> = z.enum(['true', 'false']).transform((value) => value === 'true');

const hostPort = z
  .string()
  .trim()
  .regex(/^(\[[0-9a-fA-F:]+\]|[^\s:,]+):\d{1,5}$/, 'not host:port');

/** `host:port`, several separated by commas. */
export const hostPorts: z.ZodType<string[]> = z
  .string()
  .transform((value) => value.split(','))
  .pipe(z.array(hostPort).min(1));

/** A URL with one of the protocols (written without the colon). */
export function url(...protocols: string[]): z.ZodType<string> {
  return z
    .string()
    .trim()
    .refine(
      (value) => URL.canParse(value) && protocols.includes(new URL(value).protocol.slice(0, -1)),
      `not a URL that begins with ${protocols.map((protocol) => `${protocol}://`).join(' or ')}`,
    );
}

/** A path; `~` is the home directory, a relative path is taken from the working directory. */
export const path: z.ZodType<string> = z
  .string()
  .min(1)
  .transform((value) => {
    const expanded = value === '~' || value.startsWith('~/') ? homedir() + value.slice(1) : value;
    return isAbsolute(expanded) ? expanded : resolve(expanded);
  });
