import { ConfigError, type ConfigProblem } from './config.errors.js';
import type { Config, ConfigFragment } from './config.types.js';

export type Environment = Readonly<Record<string, string | undefined>>;

/**
 * Reads and checks every variable of the fragment. An empty variable counts as not set.
 * @throws ConfigError that names all wrong variables at once.
 */
export function loadConfig<F extends ConfigFragment>(fragment: F, env: Environment = process.env): Config<F> {
  const problems: ConfigProblem[] = [];
  const config: Record<string, unknown> = {};
  for (const [name, variable] of Object.entries(fragment)) {
    const found = env[variable.variable] || undefined;
    const result = variable.schema.safeParse(found ?? variable.default);
    if (result.success) {
      config[name] = result.data;
      continue;
    }
    const detail = found === undefined ? undefined : result.error.issues[0]?.message;
    problems.push({
      variable: variable.variable,
      value: found !== undefined && variable.secret ? '***' : found,
      accepts: variable.accepts,
      ...(detail !== undefined && { detail }),
    });
  }
  if (problems.length > 0) throw new ConfigError(problems);
  return Object.freeze(config) as Config<F>;
}
