import { CallerError } from '@openscf/contracts';
import { errorCodes, type ActionRequest } from '@openscf/scf-api';
import type { TriggerRecord } from './trigger.types.js';

const FIELDS: Record<string, (record: TriggerRecord) => string> = {
  Qualifier: ({ state }) => state.qualifier,
  TriggerName: ({ triggerName }) => triggerName,
  Description: ({ description }) => description,
  Type: ({ state }) => state.type,
};

type Query = Pick<ActionRequest<'ListTriggers'>, 'Filters' | 'OrderBy' | 'Order' | 'Offset' | 'Limit'>;

/** Filters (all of them, any value of each), sorts and cuts. A function has at most ten triggers of a type. */
export function selectTriggers(
  records: readonly TriggerRecord[],
  query: Query,
): { page: TriggerRecord[]; total: number } {
  const matching = records.filter((record) =>
    query.Filters.every(({ Name, Values }) => {
      const read = FIELDS[Name];
      if (read) return Values.includes(read(record));
      const accepts = Object.keys(FIELDS).join(', ');
      const message = `Filters has the name "${Name}", which is not accepted: it must be one of ${accepts}.`;
      throw new CallerError(errorCodes.badFilters, message);
    }),
  );
  const timeOf = ({ createdAt, modifiedAt }: TriggerRecord) =>
    (query.OrderBy === 'add_time' ? createdAt : modifiedAt).getTime();
  const direction = query.Order === 'ASC' ? 1 : -1;
  matching.sort((a, b) => direction * (timeOf(a) - timeOf(b)));
  return { page: matching.slice(query.Offset, query.Offset + query.Limit), total: matching.length };
}
