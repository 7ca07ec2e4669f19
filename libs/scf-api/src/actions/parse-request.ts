import { CallerError } from '@openscf/contracts';
import type { z } from 'zod';
import { errorCodes } from '../error-codes.js';

function pathText(root: string, path: readonly PropertyKey[]): string {
  let at = root;
  for (const part of path) at += typeof part === 'number' ? `[${part}]` : `${at && '.'}${String(part)}`;
  return at || 'The request';
}

function codeOf(issue: z.core.$ZodIssue, fallback: string): string {
  const code: unknown = issue.code === 'custom' ? issue.params?.['code'] : undefined;
  return typeof code === 'string' ? code : fallback;
}

/**
 * Reads what was sent into the platform's shape. Unknown fields are dropped (scf-api section 1: tools send fields that the models do
 * not have). Throws a CallerError with SCF's code for the first thing that is wrong; the message names the field, the value
 * and what is accepted. `root` is put before the field's name.
 */
export function parseShape<S extends z.ZodType>(
  shape: S,
  value: unknown,
  fallbackCode: string = errorCodes.invalid,
  root = '',
): z.output<S> {
  const result = shape.safeParse(value);
  if (result.success) return result.data;
  const [issue] = result.error.issues;
  if (issue === undefined) throw result.error;
  throw new CallerError(codeOf(issue, fallbackCode), `${pathText(root, issue.path)} ${issue.message}.`);
}
