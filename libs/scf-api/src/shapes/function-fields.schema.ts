import { z } from 'zod';
import { errorCodes } from '../error-codes.js';
import {
  DESCRIPTION_LENGTH,
  ENVIRONMENT_BYTES,
  initTimeoutSeconds,
  memoryMb,
  RESERVED_ENVIRONMENT_PREFIXES,
  timeoutSeconds,
} from '../limits.js';
import { isRuntimeName, RUNTIMES } from '../runtimes.js';
import { defaulted, integer, oneOf, optional, refuse, required, text } from './rule.js';

/** Fields of a function's configuration, as CreateFunction and UpdateFunctionConfiguration take them. */

/** Its form depends on the runtime: see `handlerFault`. */
export const handlerRule = text({ accepts: 'a text', code: errorCodes.badHandler });

/** The registry knows which ones there are beyond `RUNTIMES`. */
export const runtimeRule = text({
  accepts: `one of ${RUNTIMES.join(', ')}`,
  code: errorCodes.badRuntime,
  test: isRuntimeName,
});

export const descriptionRule = text({
  accepts: `a text of at most ${DESCRIPTION_LENGTH} characters`,
  code: errorCodes.badDescription,
  test: (value) => value.length <= DESCRIPTION_LENGTH,
});

export const memoryRule = integer({
  accepts: `${memoryMb.smallest}, or ${memoryMb.from} to ${memoryMb.to} in steps of ${memoryMb.step} (MB)`,
  code: (value) =>
    typeof value === 'number' && (value < memoryMb.smallest || value > memoryMb.to)
      ? errorCodes.memoryLimit
      : errorCodes.badMemorySize,
  test: (value) =>
    value === memoryMb.smallest ||
    (value >= memoryMb.from && value <= memoryMb.to && value % memoryMb.step === 0),
});

export const timeoutRule = integer({
  accepts: `a whole number of seconds from ${timeoutSeconds.min} to ${timeoutSeconds.max}`,
  code: errorCodes.timeoutLimit,
  test: (value) => value >= timeoutSeconds.min && value <= timeoutSeconds.max,
});

export const initTimeoutRule = integer({
  accepts: `a whole number of seconds from ${initTimeoutSeconds.min} to ${initTimeoutSeconds.max}`,
  code: errorCodes.initTimeoutLimit,
  test: (value) => value >= initTimeoutSeconds.min && value <= initTimeoutSeconds.max,
});

const VARIABLE_NAME = /^[A-Za-z][A-Za-z0-9_]{1,63}$/;

const variableSchema = z.object({
  Key: required(text({ accepts: 'a text', code: errorCodes.badEnvironment })),
  Value: defaulted(text({ accepts: 'a text', code: errorCodes.badEnvironment, hidden: true }), ''),
});

/** What is wrong with the variables, or undefined. Values are never part of the text. */
function variablesFault(
  variables: { Key: string; Value: string }[],
): { code: string; message: string } | undefined {
  const seen = new Set<string>();
  let bytes = 0;
  for (const { Key, Value } of variables) {
    const name = JSON.stringify(Key);
    if (!VARIABLE_NAME.test(Key)) {
      const accepts = 'a letter, then letters, digits and _, 2 to 64 characters';
      return { code: errorCodes.badEnvironment, message: `has a key ${name}: a key must be ${accepts}` };
    }
    if (RESERVED_ENVIRONMENT_PREFIXES.some((prefix) => Key.startsWith(prefix))) {
      const reserved = RESERVED_ENVIRONMENT_PREFIXES.join(', ');
      return { code: errorCodes.environmentReserved, message: `has a key ${name}: ${reserved} are reserved` };
    }
    if (seen.has(Key)) return { code: errorCodes.badEnvironment, message: `has the key ${name} twice` };
    if (Value.includes('\0')) {
      return { code: errorCodes.badEnvironment, message: `has a NUL character in the value of ${name}` };
    }
    seen.add(Key);
    bytes += Buffer.byteLength(Key) + Buffer.byteLength(Value);
  }
  if (bytes <= ENVIRONMENT_BYTES) return undefined;
  const accepts = `keys and values together must be at most ${ENVIRONMENT_BYTES}`;
  return { code: errorCodes.environmentTooLarge, message: `has ${bytes} bytes: ${accepts}` };
}

/** SCF's way to say "no variables at all" in an update. */
function clears(variables: { Key: string; Value: string }[]): boolean {
  return variables.length === 1 && variables[0]?.Key === '' && variables[0].Value === '';
}

/** `{Variables: []}` means no variables; without `Variables` nothing is said about them. */
export const environmentSchema = z
  .preprocess(
    (value) => value ?? undefined,
    z
      .object(
        {
          Variables: z
            .array(variableSchema, { error: 'must be a list of {Key, Value}' })
            .nullish()
            .transform((variables) => variables ?? undefined),
        },
        { error: 'must be {"Variables": [{"Key": …, "Value": …}]}' },
      )
      .superRefine(({ Variables }, context) => {
        if (Variables === undefined || clears(Variables)) return;
        const fault = variablesFault(Variables);
        if (fault) refuse(context, fault.code, 'Variables', fault.message);
      })
      .transform(({ Variables }) => ({ Variables: Variables && clears(Variables) ? [] : Variables }))
      .optional(),
  )
  .optional();

export const publicNetSchema = z
  .preprocess(
    (value) => value ?? undefined,
    z.object({ PublicNetStatus: optional(oneOf(['ENABLE', 'DISABLE'], 'InvalidParameterValue')) }).optional(),
  )
  .optional();
