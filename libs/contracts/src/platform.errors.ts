/** Whose fault an outcome is. It decides who is told and whether trying again can help. */
export type Fault = 'caller' | 'function' | 'platform';

export interface PlatformErrorOptions {
  /** SCF's error code, for example `ResourceNotFound.Function`; it reaches the caller unchanged. */
  code: string;
  fault: Fault;
  retryable: boolean;
  /** Facts for the log, never secrets. */
  info?: Record<string, unknown>;
  cause?: unknown;
}

/** The root of every error that is thrown on purpose. Subclass it once per case; it is mapped to the wire once, at the edge. */
export class PlatformError extends Error {
  readonly code: string;
  readonly fault: Fault;
  readonly retryable: boolean;
  readonly info: Record<string, unknown>;

  constructor(message: string, options: PlatformErrorOptions) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.name = new.target.name;
    this.code = options.code;
    this.fault = options.fault;
    this.retryable = options.retryable;
    this.info = options.info ?? {};
  }
}

/** The caller sent something that is not accepted; the message names the field, the value and what is accepted. */
export class CallerError extends PlatformError {
  constructor(code: string, message: string, info?: Record<string, unknown>) {
    super(message, { code, fault: 'caller', retryable: false, ...(info && { info }) });
  }
}

/** A part of the platform is away or full; trying again later can help. */
export class UnavailableError extends PlatformError {
  constructor(message: string, cause?: unknown, code = 'InternalError.System') {
    super(message, { code, fault: 'platform', retryable: true, cause });
  }
}
