import { CallerError, type Command } from '@openscf/contracts';
import { actions, errorCodes, parseShape, type ActionName, type ActionRequest } from '@openscf/scf-api';

/** Refuses text that PostgreSQL cannot keep: zero characters and halves of surrogate pairs. */
function requireStorable(value: unknown, field: string): void {
  if (typeof value === 'string') {
    if (!value.includes('\0') && value.isWellFormed()) return;
    const what = value.includes('\0') ? 'a zero character' : 'half of a surrogate pair';
    throw new CallerError(
      errorCodes.invalid,
      `${field} contains ${what}; it must be Unicode text without it.`,
    );
  }
  if (typeof value !== 'object' || value === null) return;
  for (const [name, inner] of Object.entries(value)) {
    requireStorable(inner, Array.isArray(value) ? `${field}[${name}]` : `${field && `${field}.`}${name}`);
  }
}

/** The request of a command in the action's shape. It was checked at the gateway; what comes over Kafka is checked again. */
export function requestOf<A extends ActionName>(action: A, command: Command): ActionRequest<A> {
  const request = parseShape(actions[action].request, command.request) as ActionRequest<A>;
  requireStorable(request, '');
  return request;
}
