import type { FunctionState } from '@openscf/contracts';

/** What the meter needs to know of a function. */
export type QuotaFunction = Pick<
  FunctionState,
  'namespace' | 'functionName' | 'version' | 'memoryMb' | 'initTimeoutMs' | 'timeoutMs'
>;

/** A function's memory, taken of its pools until it is given back. */
export interface QuotaLease {
  /** The pools that it was taken of. */
  readonly pools: readonly string[];
  /**
   * Another call begins on what was taken: an instance that serves several at once. False when the grant of now does not allow
   * it: it has expired, or it is smaller than what is in use. Then the call needs what `take` gives, or is refused with it.
   */
  prolong(): boolean;
  /** Gives it back; a second time does nothing. */
  give(): void;
}

/**
 * - `over`: throttled, with SCF's message.
 * - `no-grant`: this process has none that is valid now.
 */
export type QuotaTaken =
  | { readonly kind: 'taken'; readonly lease: QuotaLease }
  | { readonly kind: 'over'; readonly message: string }
  | { readonly kind: 'no-grant' };
