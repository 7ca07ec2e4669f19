import type { TriggerState } from '@openscf/contracts';
import type { ColumnType, Generated } from '@openscf/persistence';

/** `bigint` arrives as text, because it does not fit a JavaScript number in general. Ours do. */
type BigInteger = ColumnType<string, number, number>;
/** Set by the database when it is not given. */
type Timestamp = ColumnType<Date, Date | undefined, Date>;
/** Written as JSON text, read as a value. */
export type Json<T> = ColumnType<T, string, string>;

export interface FunctionTable {
  function_id: string;
  namespace: string;
  function_name: string;
  type: 'Event' | 'HTTP';
  created_at: Timestamp;
}

export interface FunctionVersionTable {
  function_id: string;
  version: string;
  revision: BigInteger;
  status: string;
  status_reason: string;
  runtime: string;
  handler: string;
  memory_mb: number;
  timeout_ms: number;
  init_timeout_ms: number;
  environment: Json<Record<string, string>>;
  public_network: boolean;
  description: string;
  role: string;
  package_sha256: string;
  created_at: Timestamp;
  modified_at: Timestamp;
}

/** A zip at `object_key`. `touched_at` is the last time that someone took it into use or out of use. */
export interface PackageTable {
  sha256: string;
  size_bytes: BigInteger;
  object_key: string;
  touched_at: Timestamp;
}

export interface TriggerTable {
  function_id: string;
  type: 'timer' | 'ckafka' | 'cos';
  /** As the caller wrote it. */
  trigger_name: string;
  /** Tells apart the triggers of one type of a function; it is the name in TriggerState. */
  state_name: string;
  description: string;
  custom_argument: string;
  state: Json<TriggerState>;
  created_at: Timestamp;
  modified_at: Timestamp;
}

export interface CredentialTable {
  secret_id: string;
  /** AES-256-GCM with the operator's master key. */
  encrypted_secret_key: string;
  app_id: string;
  uin: string;
  enabled: boolean;
  /** The installation's own key, from the credentials file. */
  root: boolean;
  created_at: Timestamp;
}

/** Records that wait to be published, in the order of `id`. A null value removes the key. */
export interface OutboxTable {
  id: ColumnType<string, never, never>;
  topic: string;
  key: string;
  value: Json<unknown> | null;
  created_at: Generated<Date>;
}

export interface RegistrySchema {
  functions: FunctionTable;
  function_versions: FunctionVersionTable;
  packages: PackageTable;
  triggers: TriggerTable;
  credentials: CredentialTable;
  outbox: OutboxTable;
}
