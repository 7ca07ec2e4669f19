/**
 * The runtimes by their API names, and what a handler is in each. Whether a runtime is there is another matter: an invoker says in
 * its heartbeat which ones it can start and what is missing of the others.
 */

/** What tools read back for a function whose code is an image. */
export const IMAGE_RUNTIME = 'CustomImage';
export const CUSTOM_RUNTIME = 'CustomRuntime';

/** Every name that is accepted without an invoker that knows more (scf-api section 5, "Runtime names", and the current ones). */
export const RUNTIMES = [
  ...['6.10', '8.9', '10.15', '12.16', '14.18', '16.13', '18.15', '20.19', '22', '24'].map(
    (v) => `Nodejs${v}`,
  ),
  ...['2.7', '3.6', '3.7', '3.9', '3.10', '3.11', '3.12'].map((v) => `Python${v}`),
  ...['5', '5.6', '7', '7.2', '7.4', '8.0', '8.2'].map((v) => `Php${v}`),
  ...['8', '11', '17', '21', '25'].map((v) => `Java${v}`),
  'Go1',
  CUSTOM_RUNTIME,
];

/** A name that could be a runtime's; invokers may have more than `RUNTIMES`. */
const NAME = /^[A-Z][A-Za-z]{1,30}[0-9.]{0,16}$/;

export function isRuntimeName(name: string): boolean {
  return NAME.test(name);
}

export interface HandlerRule {
  /** Completes the sentence "Handler must be …". */
  accepts: string;
  pattern: RegExp;
}

const HANDLER_LENGTH = 128;
const LENGTH = `at most ${HANDLER_LENGTH} characters`;

const FILE_AND_METHOD: HandlerRule = {
  accepts: `<file>.<function>, for example index.main_handler, ${LENGTH}`,
  pattern: /^[A-Za-z0-9_][\w./-]*\.[A-Za-z_$][\w$]*$/,
};
const CLASS_AND_METHOD: HandlerRule = {
  accepts: `<package>.<Class>::<method>, for example example.Hello::mainHandler, ${LENGTH}`,
  pattern: /^([A-Za-z_$][\w$]*\.)*[A-Za-z_$][\w$]*::[A-Za-z_$][\w$]*$/,
};
const PROGRAM: HandlerRule = {
  accepts: `the name of the program in the package, for example main, ${LENGTH}`,
  pattern: /^[A-Za-z0-9_][\w./-]*$/,
};
/** Custom runtimes read it from `_HANDLER`; what it means is theirs. */
const ANYTHING: HandlerRule = { accepts: `a text without spaces, ${LENGTH}`, pattern: /^[\x21-\x7e]*$/ };

/** The form of a handler; undefined says that none is needed, and one that is given must fit `freeHandlerRule`. */
export function handlerRuleOf(runtime: string, type: string): HandlerRule | undefined {
  if (type === 'HTTP' || runtime === CUSTOM_RUNTIME || runtime === IMAGE_RUNTIME) return undefined;
  if (runtime.startsWith('Java')) return CLASS_AND_METHOD;
  if (runtime.startsWith('Go')) return PROGRAM;
  return FILE_AND_METHOD;
}

/** What is wrong with a handler, as the end of a sentence that begins with "Handler", or undefined. */
export function handlerFault(runtime: string, type: string, handler: string): string | undefined {
  const { accepts, pattern } = handlerRuleOf(runtime, type) ?? ANYTHING;
  const fits = handler.length <= HANDLER_LENGTH && pattern.test(handler) && !handler.includes('..');
  return fits
    ? undefined
    : `${JSON.stringify(handler.slice(0, HANDLER_LENGTH))} is not accepted: it must be ${accepts}`;
}
