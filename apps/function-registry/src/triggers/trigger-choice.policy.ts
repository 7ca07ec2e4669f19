import { CallerError } from '@openscf/contracts';
import { errorCodes, type ActionRequest } from '@openscf/scf-api';
import { bucketOf, cosRuleOf, isSameRule } from './kinds/cos.policy.js';
import type { TriggerRecord } from './trigger.types.js';

type TriggerReference = Pick<
  ActionRequest<'DeleteTrigger'>,
  'FunctionName' | 'TriggerName' | 'Type' | 'TriggerDesc'
>;

function missing({ FunctionName, TriggerName, Type }: TriggerReference, hint = ''): CallerError {
  const message = `Function "${FunctionName}" has no ${Type} trigger "${TriggerName}"${hint}.`;
  return new CallerError(errorCodes.noTrigger, message);
}

/**
 * The trigger that a request means. Triggers of one bucket have the same name: TriggerDesc tells them apart, and may be left out
 * while there is one.
 */
export function chooseTrigger(
  records: readonly TriggerRecord[],
  reference: TriggerReference,
  platformBucket: string,
): TriggerRecord {
  if (reference.Type !== 'cos') {
    const found = records.find(
      ({ state, triggerName }) => state.type === reference.Type && triggerName === reference.TriggerName,
    );
    if (found) return found;
    throw missing(reference);
  }
  const bucket = bucketOf(reference.TriggerName, platformBucket);
  const ofBucket = records.filter(({ state }) => state.type === 'cos' && state.bucket === bucket);
  const [only, another] = ofBucket;
  if (!only) throw missing(reference);
  if (reference.TriggerDesc === '') {
    if (!another) return only;
    const message = `TriggerDesc is missing: function "${reference.FunctionName}" has ${ofBucket.length} triggers of bucket "${bucket}".`;
    throw new CallerError(errorCodes.badTriggerDesc, message);
  }
  const rule = cosRuleOf(bucket, reference.TriggerDesc);
  const found = ofBucket.find(({ state }) => state.type === 'cos' && isSameRule(state, rule));
  if (found) return found;
  throw missing(reference, ' with this event and filter in TriggerDesc');
}
