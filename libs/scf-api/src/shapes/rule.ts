import { z } from 'zod';
import { errorCodes } from '../error-codes.js';

/** What a field must be. `read` returns the value as the platform uses it, or undefined when it is not accepted. */
export interface Rule<T> {
  /** Completes the sentence "<field> must be …". */
  accepts: string;
  /** SCF's code when the value is not accepted. A function when it depends on the value. */
  code: string | ((value: unknown) => string);
  /** SCF's code when a required field is absent. */
  missing?: string;
  /** The value may be secret or huge: keep it out of the message. */
  hidden?: boolean;
  read(value: unknown): T | undefined;
}

const SHOWN_CHARACTERS = 80;

function shown(value: unknown): string {
  // A caller decides how deep an object is nested; writing it out could exhaust the stack.
  if (typeof value === 'object') return Array.isArray(value) ? 'a list' : 'an object';
  const text = JSON.stringify(value) ?? String(value);
  return text.length > SHOWN_CHARACTERS ? `${text.slice(0, SHOWN_CHARACTERS)}…` : text;
}

function withoutNull(value: unknown): unknown {
  return value === null ? undefined : value;
}

function ruled<T>(rule: Rule<T>) {
  return z.unknown().transform((value: unknown, context): T => {
    const given = withoutNull(value);
    if (given === undefined) {
      const code = rule.missing ?? errorCodes.missing;
      context.addIssue({ code: 'custom', params: { code }, message: 'is missing' });
      return z.NEVER;
    }
    const read = rule.read(given);
    if (read !== undefined) return read;
    const code = typeof rule.code === 'string' ? rule.code : rule.code(given);
    const what = rule.hidden ? 'is not accepted' : `${shown(given)} is not accepted`;
    context.addIssue({ code: 'custom', params: { code }, message: `${what}: it must be ${rule.accepts}` });
    return z.NEVER;
  });
}

/** A field that must be there. Null counts as absent: some clients send it for what they leave out. */
export function required<T>(rule: Rule<T>) {
  return ruled(rule);
}

/** A field that may be absent, and then is undefined. */
export function optional<T>(rule: Rule<T>) {
  return z.preprocess(withoutNull, ruled(rule).optional()).optional();
}

/** A field that gets a value when it is absent. */
export function defaulted<T>(rule: Rule<T>, value: T) {
  return optional(rule).transform((given): T => given ?? value);
}

/** Adds an issue that carries SCF's code, for checks over several fields. */
export function refuse(
  context: {
    addIssue(issue: { code: 'custom'; params: { code: string }; path: string[]; message: string }): void;
  },
  code: string,
  field: string,
  message: string,
): void {
  context.addIssue({ code: 'custom', params: { code }, path: [field], message });
}

export function text(rule: Omit<Rule<string>, 'read'> & { test?: (value: string) => boolean }): Rule<string> {
  return {
    ...rule,
    read: (value) => (typeof value === 'string' && (rule.test?.(value) ?? true) ? value : undefined),
  };
}

export function integer(
  rule: Omit<Rule<number>, 'read'> & { test?: (value: number) => boolean },
): Rule<number> {
  return {
    ...rule,
    read: (value) =>
      typeof value === 'number' && Number.isSafeInteger(value) && (rule.test?.(value) ?? true)
        ? value
        : undefined,
  };
}

/** One of a few words, compared as written. An empty text counts as absent where `empty` says what it means. */
export function oneOf<const T extends string>(words: readonly T[], code: string, empty?: T): Rule<T> {
  return {
    accepts: `one of ${words.join(', ')}`,
    code,
    read: (value) => (value === '' && empty !== undefined ? empty : words.find((word) => word === value)),
  };
}
