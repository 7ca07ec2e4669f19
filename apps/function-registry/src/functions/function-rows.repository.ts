import { functionStateSchema, type LayerState } from '@openscf/contracts';
import { sql, type Kysely } from '@openscf/persistence';
import type { FunctionVersionTable, RegistrySchema } from '../database/registry.schema.js';
import type { FunctionRecord, FunctionSettings } from './function.types.js';

/** How a version of a function lies in the tables, both ways. */

/** Every version of every function, with its package where it has one. */
export function joined(db: Kysely<RegistrySchema>) {
  return db
    .selectFrom('functions as f')
    .innerJoin('function_versions as v', 'v.function_id', 'f.function_id')
    .leftJoin('packages as p', 'p.sha256', 'v.package_sha256');
}

/** The layers of a version in their order, as JSON, or null. */
const layersOfVersion = sql<LayerState[] | null>`(
  SELECT json_agg(json_build_object('layerName', l.layer_name, 'layerVersion', l.layer_version,
    'sha256', lp.sha256, 'sizeBytes', lp.size_bytes, 'objectKey', lp.object_key) ORDER BY l.position)
  FROM function_layers l JOIN packages lp ON lp.sha256 = l.package_sha256
  WHERE l.function_id = v.function_id AND l.version = v.version)`;

/** What `recordOf` reads. */
export function selected(db: Kysely<RegistrySchema>) {
  return joined(db)
    .selectAll('v')
    .select(['f.namespace', 'f.function_name', 'f.type', 'p.sha256', 'p.size_bytes', 'p.object_key'])
    .select(layersOfVersion.as('layers'));
}
type Row = Awaited<ReturnType<ReturnType<typeof selected>['execute']>>[number];

export function recordOf(row: Row): FunctionRecord {
  const state = functionStateSchema.parse({
    functionId: row.function_id,
    namespace: row.namespace,
    functionName: row.function_name,
    version: row.version,
    revision: Number(row.revision),
    type: row.type,
    status: row.status,
    statusReason: row.status_reason,
    runtime: row.runtime,
    handler: row.handler,
    memoryMb: row.memory_mb,
    timeoutMs: row.timeout_ms,
    initTimeoutMs: row.init_timeout_ms,
    environment: row.environment,
    publicNetwork: row.public_network,
    code: row.image ?? { sha256: row.sha256, sizeBytes: Number(row.size_bytes), objectKey: row.object_key },
    layers: row.layers ?? [],
    instanceConcurrency: row.settings.instanceConcurrency,
    webSocketIdleMs: row.settings.webSocketIdleMs,
  });
  return {
    ...state,
    sharedDirectories: row.settings.sharedDirectories ?? [],
    description: row.description,
    role: row.role,
    imageType: row.settings.imageType ?? '',
    registryId: row.settings.registryId ?? '',
    createdAt: row.created_at,
    modifiedAt: row.modified_at,
  };
}

function settingsOf(record: FunctionRecord): FunctionSettings {
  const { sharedDirectories, instanceConcurrency, webSocketIdleMs, imageType, registryId } = record;
  return {
    ...(sharedDirectories.length > 0 && { sharedDirectories }),
    ...(instanceConcurrency > 1 && { instanceConcurrency }),
    ...(webSocketIdleMs !== undefined && { webSocketIdleMs }),
    ...(imageType !== '' && { imageType }),
    ...(registryId !== '' && { registryId }),
  };
}

/** The columns of a version but those that name it; layers have a table of their own. */
export function versionColumns(record: FunctionRecord) {
  return {
    revision: record.revision,
    status: record.status,
    status_reason: record.statusReason,
    runtime: record.runtime,
    handler: record.handler,
    memory_mb: record.memoryMb,
    timeout_ms: record.timeoutMs,
    init_timeout_ms: record.initTimeoutMs,
    environment: JSON.stringify(record.environment),
    public_network: record.publicNetwork,
    description: record.description,
    role: record.role,
    package_sha256: record.code.kind === 'package' ? record.code.sha256 : null,
    image: record.code.kind === 'image' ? JSON.stringify(record.code) : null,
    settings: JSON.stringify(settingsOf(record)),
    created_at: record.createdAt,
    modified_at: record.modifiedAt,
  } satisfies Partial<Record<keyof FunctionVersionTable, unknown>>;
}
