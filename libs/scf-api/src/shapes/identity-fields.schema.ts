import { DEFAULT_NAMESPACE } from '@openscf/contracts';
import { errorCodes } from '../error-codes.js';
import { nameLength } from '../limits.js';
import { defaulted, required, text } from './rule.js';

/** Fields that name a function, a version and a place in a list. */

/** scf-api Quotas, "Name rules". */
const FUNCTION_NAME = /^[A-Za-z][\w-]{0,58}[A-Za-z0-9]$/;
const NAMESPACE = /^[A-Za-z]([\w-]{0,58}[A-Za-z0-9])?$/;
const QUALIFIER = /^(\$LATEST|\$DEFAULT|[1-9]\d{0,8}|[A-Za-z][\w-]{0,63})$/;

function functionName(code: string) {
  return text({
    accepts: `${nameLength.function.min} to ${nameLength.function.max} characters: a letter first, then letters, digits, _ and -, a letter or a digit last`,
    code,
    test: (value) => FUNCTION_NAME.test(value),
  });
}

export const functionNameField = required(functionName(errorCodes.badFunctionName));
/** Invoke and InvokeFunction answer a code of their own for a bad name. */
export const invokedFunctionNameField = required(functionName(errorCodes.badFunctionNameOnInvoke));

const namespaceRule = text({
  accepts: `${nameLength.namespace.min} to ${nameLength.namespace.max} characters: a letter first, then letters, digits, _ and -, a letter or a digit last`,
  code: errorCodes.badNamespace,
  test: (value) => value === '' || NAMESPACE.test(value),
});

export const namespaceField = defaulted(namespaceRule, DEFAULT_NAMESPACE).transform(
  (value) => value || DEFAULT_NAMESPACE,
);

const qualifierRule = text({
  accepts: '$LATEST, $DEFAULT, the number of a version or the name of an alias',
  code: errorCodes.badQualifier,
  test: (value) => value === '' || QUALIFIER.test(value),
});

/** A version or an alias; `fallback` is what the action means when the caller names none. */
export function qualifierField(fallback: string) {
  return defaulted(qualifierRule, fallback).transform((value) => value || fallback);
}
