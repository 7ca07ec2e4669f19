import type { PreparedStatement } from '@openscf/persistence';

/** A column of a table, and where its values come from. `milliseconds` since the epoch become a timestamptz. */
export interface Column<T> {
  readonly name: string;
  readonly type: 'text' | 'integer' | 'bigint' | 'double precision' | 'milliseconds';
  readonly of: (item: T) => string | number | null;
}

/** The statement that keeps any number of rows, one array per column; what is there already stays as it is. */
export function insertOf<T>(table: string, columns: readonly Column<T>[]): PreparedStatement {
  const names = columns.map(({ name }) => name).join(', ');
  const selected = columns.map(({ name, type }) =>
    type === 'milliseconds' ? `to_timestamp(${name} / 1000)` : name,
  );
  const arrays = columns.map(
    ({ type }, index) => `$${index + 1}::${type === 'milliseconds' ? 'double precision' : type}[]`,
  );
  return {
    name: `insert-${table}`,
    text: `
      insert into ${table} (${names})
      select ${selected.join(', ')} from unnest(${arrays.join(', ')}) as rows (${names})
      on conflict do nothing`,
  };
}

/** The values of that statement. */
export function valuesOf<T>(columns: readonly Column<T>[], items: readonly T[]): unknown[] {
  return columns.map(({ of }) => items.map(of));
}
