import { CallerError } from '@openscf/contracts';
import { errorCodes, type ActionRequest } from '@openscf/scf-api';

/** Refuses file systems that the operator has not set up. */
export function requireFileSystems(
  cfs: ActionRequest<'CreateFunction'>['CfsConfig'],
  accepted: readonly string[],
): void {
  const unknown = cfs?.CfsInsList.find(({ CfsId }) => !accepted.includes(CfsId));
  if (!unknown) return;
  const accepts =
    accepted.length === 0
      ? 'this installation has none (its operator names them in OPENSCF_SHARED_FILE_SYSTEMS)'
      : `it must be one of ${accepted.join(', ')}`;
  throw new CallerError(
    errorCodes.badValue,
    `CfsConfig.CfsInsList has the CfsId "${unknown.CfsId}", which is not accepted: ${accepts}.`,
  );
}
