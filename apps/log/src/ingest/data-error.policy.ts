/** SQLSTATE classes that say that the data itself is wrong: data exception, integrity constraint violation; and 54, too large. */
const DATA_STATES = /^(22|23|54)/;

/** True when writing the same again can only fail again. */
export function isDataError(error: unknown): boolean {
  return (
    error instanceof Error &&
    'code' in error &&
    typeof error.code === 'string' &&
    DATA_STATES.test(error.code)
  );
}
