import { CallerError } from '@openscf/contracts';
import { errorCodes, unreservedMb } from '@openscf/scf-api';
import type { ConcurrencyRecord } from './concurrency.types.js';
import { mostMb } from './provisioned.policy.js';

/** Everything here is in MB of function memory, as SCF counts concurrency. */

export function provisionedMbOf({ provisioned }: ConcurrencyRecord): number {
  return provisioned.reduce((sum, one) => sum + mostMb(one), 0);
}

/** What functions other than `functionId` have taken of the account. */
function takenByOthers(records: readonly ConcurrencyRecord[], functionId: string) {
  const others = records.filter((record) => record.functionId !== functionId);
  return {
    reservedMb: others.reduce((sum, { reservedMb }) => sum + (reservedMb ?? 0), 0),
    /** Provisioned instances of functions without a reservation live on what is unreserved. */
    unreservedProvisionedMb: others
      .filter(({ reservedMb }) => reservedMb === undefined)
      .reduce((sum, record) => sum + provisionedMbOf(record), 0),
  };
}

/** Refuses a reservation that is too small for the function, or too large for the account. */
export function requireReservable(
  wantedMb: number,
  own: ConcurrencyRecord,
  all: readonly ConcurrencyRecord[],
  { memoryMb, quotaMb }: { memoryMb: number; quotaMb: number },
): void {
  const shown = `ReservedConcurrencyMem ${wantedMb}`;
  if (wantedMb > 0 && wantedMb < memoryMb) {
    const message = `${shown} is not accepted: it must be 0 (the function stops), or at least its memory, ${memoryMb} MB.`;
    throw new CallerError(errorCodes.badMemory, message);
  }
  if (wantedMb > quotaMb) {
    throw new CallerError(errorCodes.reservedLimit, `${shown} is more than the account has, ${quotaMb} MB.`);
  }
  const provisionedMb = provisionedMbOf(own);
  if (wantedMb < provisionedMb) {
    const message = `${shown} is less than the ${provisionedMb} MB of provisioned concurrency that function "${own.functionName}" has.`;
    throw new CallerError(errorCodes.provisionedExceedReserved, message);
  }
  const others = takenByOthers(all, own.functionId);
  const keepMb = Math.max(unreservedMb(quotaMb), others.unreservedProvisionedMb);
  const freeMb = Math.max(0, quotaMb - others.reservedMb - keepMb);
  if (wantedMb <= freeMb) return;
  const message = `${shown} is not accepted: of the account's ${quotaMb} MB others have reserved ${others.reservedMb} and ${keepMb} stay unreserved, so it must be at most ${freeMb}.`;
  throw new CallerError(errorCodes.reservedExceedTotal, message);
}

/** MB that `own` may provision besides what it has. */
export function provisionableMb(
  own: ConcurrencyRecord,
  all: readonly ConcurrencyRecord[],
  quotaMb: number,
): number {
  const others = takenByOthers(all, own.functionId);
  const limitMb = own.reservedMb ?? quotaMb - others.reservedMb - others.unreservedProvisionedMb;
  return Math.max(0, limitMb - provisionedMbOf(own));
}

/** Refuses provisioned concurrency for which there is no room. `own` is without the version that is asked for. */
export function requireProvisionable(
  wanted: { instances: number; memoryMb: number },
  own: ConcurrencyRecord,
  all: readonly ConcurrencyRecord[],
  quotaMb: number,
): void {
  const wantedMb = wanted.instances * wanted.memoryMb;
  const shown = `${wanted.instances} provisioned instances of ${wanted.memoryMb} MB need ${wantedMb} MB`;
  if (wantedMb > quotaMb) {
    throw new CallerError(errorCodes.provisionedLimit, `${shown}, and the account has ${quotaMb} MB.`);
  }
  const freeMb = provisionableMb(own, all, quotaMb);
  if (wantedMb <= freeMb) return;
  const [code, of] =
    own.reservedMb === undefined
      ? [errorCodes.provisionedExceedAvailable, 'of the unreserved concurrency of the account']
      : [errorCodes.provisionedExceedReserved, `of the function's reserved ${own.reservedMb} MB`];
  throw new CallerError(code, `${shown}, and ${freeMb} MB ${of} can still be provisioned.`);
}
