import type { z } from 'zod';

/** One variable of the environment and what it becomes. */
export interface Variable<T> {
  /** Its name, for example `OPENSCF_KAFKA_BROKERS`. */
  readonly variable: string;
  /** Reads the text. A schema that accepts `undefined` makes the variable optional. */
  readonly schema: z.ZodType<T>;
  /** Text that stands in when the variable is not set (or empty), read by the same schema. */
  readonly default?: string;
  /** What it accepts, for the error that a person reads. */
  readonly accepts: string;
  /** Its value never appears in an error. */
  readonly secret?: boolean;
}

/** What one library or app needs of the environment; an app spreads several into one. */
export type ConfigFragment = Readonly<Record<string, Variable<unknown>>>;

/** The object that a fragment is read into. */
export type Config<F extends ConfigFragment> = Readonly<{ [K in keyof F]: z.output<F[K]['schema']> }>;

/** Keeps the types of a fragment's schemas. */
export function defineConfig<const F extends ConfigFragment>(fragment: F): F {
  return fragment;
}
