import type { ImageCode, Provisioned, TriggerState } from '@openscf/contracts';
import type { ColumnType, Generated } from '@openscf/persistence';
import type { HttpDesc } from '@openscf/scf-api';
import type { FunctionSettings } from '../functions/function.types.js';

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
  /** The number of the version that was published last, 0 for none. Numbers are never given twice. */
  last_version: Generated<number>;
  /** Reserved concurrency in MB; null shares what is unreserved. */
  reserved_mb: number | null;
  /** Of the last change of reserved or provisioned concurrency. */
  concurrency_revision: ColumnType<string, number | undefined, number>;
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
  /** Null for an image, which is in `image` then. */
  package_sha256: string | null;
  image: Json<ImageCode> | null;
  /** What most functions leave at its default. */
  settings: Json<FunctionSettings>;
  created_at: Timestamp;
  modified_at: Timestamp;
}

/** A layer version that a version of a function is bound to. Its package stays while a function uses it. */
export interface FunctionLayerTable {
  function_id: string;
  version: string;
  position: number;
  layer_name: string;
  layer_version: number;
  package_sha256: string;
}

/** A layer; `last_version` is never given twice. */
export interface LayerTable {
  layer_name: string;
  last_version: Generated<number>;
}

export interface LayerVersionTable {
  layer_name: string;
  layer_version: number;
  /** Null once it is deleted; the row stays for the functions that still use it. */
  package_sha256: string | null;
  compatible_runtimes: string[];
  description: string;
  license_info: string;
  created_at: Timestamp;
}

/** What was asked for with PutProvisionedConcurrencyConfig. */
export interface ProvisionedTable {
  function_id: string;
  version: string;
  instances: number;
  schedule: Json<Provisioned['schedule']>;
  tracking: Json<NonNullable<Provisioned['tracking']>> | null;
  modified_at: Timestamp;
}

/** A zip at `object_key`. `touched_at` is the last time that someone took it into use or out of use. */
export interface PackageTable {
  sha256: string;
  size_bytes: BigInteger;
  /** Null for a zip that was stored before this was measured. */
  unpacked_bytes: ColumnType<string | null, number | null | undefined, number>;
  object_key: string;
  touched_at: Timestamp;
}

export interface TriggerTable {
  function_id: string;
  type: TriggerState['type'];
  /** As the caller wrote it. */
  trigger_name: string;
  /** Tells apart the triggers of one type of a function; it is the name in TriggerState. */
  state_name: string;
  description: string;
  custom_argument: string;
  state: Json<TriggerState>;
  /** Of an http trigger: its description as it is read back, without addresses. */
  http_desc: Json<HttpDesc> | null;
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
  function_layers: FunctionLayerTable;
  layers: LayerTable;
  layer_versions: LayerVersionTable;
  provisioned: ProvisionedTable;
  packages: PackageTable;
  triggers: TriggerTable;
  credentials: CredentialTable;
  outbox: OutboxTable;
}
