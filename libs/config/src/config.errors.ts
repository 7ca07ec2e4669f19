import { PlatformError } from '@openscf/contracts';

/** One variable that cannot be used. `value` is undefined when it is not set, and masked when it is a secret. */
export interface ConfigProblem {
  readonly variable: string;
  readonly value: string | undefined;
  readonly accepts: string;
  readonly detail?: string;
}

function describe(problem: ConfigProblem): string {
  const { variable, value, accepts, detail } = problem;
  const found = value === undefined ? 'is not set' : `is "${value}"`;
  return `${variable} ${found}; it accepts ${accepts}${detail ? ` (${detail})` : ''}`;
}

/** The environment is wrong: every wrong variable at once, each with what it accepts. */
export class ConfigError extends PlatformError {
  readonly problems: readonly ConfigProblem[];

  constructor(problems: readonly ConfigProblem[]) {
    super(problems.map(describe).join('\n'), {
      code: 'InvalidConfiguration',
      fault: 'caller',
      retryable: false,
      info: { variables: problems.map((problem) => problem.variable) },
    });
    this.problems = problems;
  }
}
