/** Something that a person must read: one sentence that says what is wrong and what changes it. */
export class LaunchError extends Error {
  override readonly name = 'LaunchError';
  /** Last lines of the log of what failed, oldest first. */
  readonly logTail: readonly string[];

  constructor(sentence: string, logTail: readonly string[] = [], options?: ErrorOptions) {
    super(sentence, options);
    this.logTail = logTail;
  }
}

/** The sentence for any error: system errors that a person can mend get one of their own. */
export function sentenceFor(error: unknown): string {
  if (error instanceof LaunchError) return error.message;
  if (!(error instanceof Error)) return String(error);
  const { code, path } = error as NodeJS.ErrnoException;
  const where = path === undefined ? '' : ` (${path})`;
  if (code === 'ENOSPC')
    return `The disk is full${where}: free some space, or move the data with OPENSCF_HOME and the caches with OPENSCF_CACHE.`;
  if (code === 'EACCES' || code === 'EPERM')
    return `Access was refused${where}: OPENSCF_HOME and OPENSCF_CACHE must name folders that you can write to.`;
  return error.message;
}
