/** Kinds of frames between invoker and instance: see libs/runtimes/README.md. */
export const channelFrame = {
  hello: 1,
  init: 2,
  ready: 3,
  initFailed: 4,
  invoke: 5,
  result: 6,
  error: 7,
  /** A file of the compile cache: what the language has made of the user's code. */
  compiled: 14,
} as const;

const REASONS = [
  'handler-not-found',
  'load-failed',
  'event-not-json',
  'exception',
  'result-not-json',
  'result-too-large',
  'bootstrap-missing',
  'port-not-bound',
  'exited',
  'not-fetched',
  'bad-response',
  'response-headers-too-large',
] as const;

/** A failure as a bootstrap reports it. */
export interface RuntimeFailure {
  readonly reason: (typeof REASONS)[number];
  readonly message: string;
  /** Frames of the user's own code; empty where there are none. */
  readonly stackTrace: string;
  /** The process must not be used again. */
  readonly recycle?: boolean;
}

/** Reads a failure from the head of a frame. The user's code shares a process with its sender, so that nothing in it is trusted. */
export function readFailure(head: Buffer): RuntimeFailure {
  try {
    const value = JSON.parse(head.toString('utf8')) as Partial<Record<keyof RuntimeFailure, unknown>>;
    return {
      reason: REASONS.find((reason) => reason === value.reason) ?? 'exception',
      message: typeof value.message === 'string' ? value.message : '',
      stackTrace: typeof value.stackTrace === 'string' ? value.stackTrace : '',
      recycle: value.recycle === true,
    };
  } catch {
    return {
      reason: 'exception',
      message: 'the runtime sent an error that cannot be read',
      stackTrace: '',
      recycle: true,
    };
  }
}
