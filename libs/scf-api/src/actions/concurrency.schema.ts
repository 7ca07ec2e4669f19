import { z } from 'zod';
import { errorCodes } from '../error-codes.js';
import { PROVISION_ACTIONS } from '../limits.js';
import { functionNameField, namespaceField } from '../shapes/identity-fields.schema.js';
import { defaulted, integer, oneOf, optional, refuse, required, text } from '../shapes/rule.js';
import { publishedVersionField } from './versions.schema.js';

/** Reserved and provisioned concurrency. Reserved is counted in MB, provisioned in instances. */

const identity = { FunctionName: functionNameField, Namespace: namespaceField };
const int = z.number().int();

/** Far above every account, far below what a column holds. */
const MOST = 1_000_000_000;

const count = (code: string, from: number) =>
  integer({
    accepts: `a whole number from ${from}`,
    code,
    test: (value) => value >= from && value <= MOST,
  });

export const putReservedRequest = z.object({
  ...identity,
  ReservedConcurrencyMem: required({
    ...count(errorCodes.badMemory, 0),
    accepts: 'a whole number of MB from 0',
  }),
});
export const reservedRequest = z.object(identity);
export const getReservedResponse = z.object({ ReservedMem: int.nullable() });

const TRACKING = 'ConcurrencyUtilizationTracking';

const actionSchema = z.object(
  {
    TriggerName: required(
      text({
        accepts: '1 to 60 letters, digits, _ and -',
        code: errorCodes.badProvisionTriggerName,
        test: (value) => /^[\w-]{1,60}$/.test(value),
      }),
    ),
    TriggerProvisionedConcurrencyNum: required(count(errorCodes.badProvisionTriggerNumber, 0)),
    TriggerCronConfig: required(text({ accepts: 'a cron expression of 7 fields', code: errorCodes.badCron })),
    ProvisionedType: defaulted(oneOf(['Default'], errorCodes.badProvisionType, 'Default'), 'Default'),
  },
  { error: 'must be {"TriggerName": …, "TriggerCronConfig": …, "TriggerProvisionedConcurrencyNum": …}' },
);
type ProvisionAction = z.output<typeof actionSchema>;

function twiceIn(actions: ProvisionAction[], field: 'TriggerName' | 'TriggerCronConfig'): string | undefined {
  const values = actions.map((action) => action[field]);
  return values.find((value, index) => values.indexOf(value) !== index);
}

const putFields = z.object({
  ...identity,
  Qualifier: publishedVersionField,
  VersionProvisionedConcurrencyNum: required(count(errorCodes.badValue, 0)),
  TriggerActions: z
    .array(actionSchema, { error: 'must be a list of actions' })
    .nullish()
    .transform((actions) => actions ?? []),
  ProvisionedType: defaulted(oneOf(['Default', TRACKING], errorCodes.badProvisionType, 'Default'), 'Default'),
  TrackingTarget: optional({
    accepts: 'a number above 0 and below 1',
    code: errorCodes.badTrackingTarget,
    read: (value) => (typeof value === 'number' && value >= 0 && value < 1 ? value : undefined),
  }),
  MinCapacity: optional(count(errorCodes.badMinCapacity, 0)),
  MaxCapacity: optional(count(errorCodes.maxCapacityLimit, 0)),
});
type PutFields = z.output<typeof putFields>;
type Context = Parameters<typeof refuse>[0];

function checkActions({ TriggerActions: actions }: PutFields, context: Context): void {
  if (actions.length > PROVISION_ACTIONS) {
    const message = `has ${actions.length} actions: it must have at most ${PROVISION_ACTIONS}`;
    refuse(context, errorCodes.provisionTriggerLimit, 'TriggerActions', message);
  }
  const name = twiceIn(actions, 'TriggerName');
  if (name !== undefined) {
    refuse(
      context,
      errorCodes.provisionTriggerNameTwice,
      'TriggerActions',
      `has the TriggerName "${name}" twice`,
    );
  }
  const cron = twiceIn(actions, 'TriggerCronConfig');
  if (cron !== undefined) {
    refuse(
      context,
      errorCodes.provisionTriggerCronTwice,
      'TriggerActions',
      `has the TriggerCronConfig "${cron}" twice`,
    );
  }
}

/** Clients send zeros for what they leave out, so the three fields are looked at only when tracking is asked for. */
function checkTracking(request: PutFields, context: Context): void {
  if (request.ProvisionedType !== TRACKING) return;
  const { TrackingTarget: target, MinCapacity: least, MaxCapacity: most, TriggerActions: actions } = request;
  if (!target)
    refuse(
      context,
      errorCodes.badTrackingTarget,
      'TrackingTarget',
      'is missing: it must be above 0 and below 1',
    );
  if (!least)
    refuse(context, errorCodes.badMinCapacity, 'MinCapacity', 'is missing: it must be a whole number from 1');
  if (!most || most < (least ?? 1)) {
    const message = `${most ?? 'absent'} is not accepted: it must be a whole number from MinCapacity (${least ?? 1})`;
    refuse(context, errorCodes.maxCapacityLimit, 'MaxCapacity', message);
  }
  if (request.VersionProvisionedConcurrencyNum !== 0) {
    const message = `${request.VersionProvisionedConcurrencyNum} is not accepted with ${TRACKING}: it must be 0`;
    refuse(context, errorCodes.badProvisionType, 'VersionProvisionedConcurrencyNum', message);
  }
  if (actions.length > 0) {
    refuse(
      context,
      errorCodes.badProvisionType,
      'TriggerActions',
      `is not accepted with ${TRACKING}: leave it out`,
    );
  }
}

export const putProvisionedRequest = putFields.superRefine(checkActions).superRefine(checkTracking);

export const getProvisionedRequest = z.object({
  ...identity,
  Qualifier: optional(
    text({
      accepts: 'the number of a published version, or empty for all',
      code: errorCodes.badQualifier,
      test: (value) => /^([1-9]\d{0,8})?$/.test(value),
    }),
  ).transform((value) => value ?? ''),
});

export const getProvisionedResponse = z.object({
  UnallocatedConcurrencyNum: int,
  Allocated: z.array(
    z.object({
      Qualifier: z.string(),
      AllocatedProvisionedConcurrencyNum: int,
      AvailableProvisionedConcurrencyNum: int,
      Status: z.enum(['Done', 'InProgress', 'Failed']),
      StatusReason: z.string(),
      TriggerActions: z.array(
        z.object({
          TriggerName: z.string(),
          TriggerProvisionedConcurrencyNum: int,
          TriggerCronConfig: z.string(),
          ProvisionedType: z.string(),
        }),
      ),
      ProvisionedType: z.string(),
      TrackingTarget: z.number().nullable(),
      MinCapacity: int.nullable(),
      MaxCapacity: int.nullable(),
    }),
  ),
});

export const deleteProvisionedRequest = z.object({ ...identity, Qualifier: publishedVersionField });
