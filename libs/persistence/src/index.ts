/** PostgreSQL pool, transactions and migrations; the tables belong to the apps. */
export {
  sql,
  Kysely,
  type Generated,
  type ColumnType,
  type Insertable,
  type Selectable,
  type Updateable,
  type Transaction,
  type JSONColumnType,
} from 'kysely';
export type { Migration } from 'kysely/migration';
export * from './database.js';
export * from './persistence.config.js';
export * from './persistence.errors.js';
export * from './persistence.module.js';
