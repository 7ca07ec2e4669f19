import { Inject, Injectable } from '@nestjs/common';
import { Database, sql, type Kysely } from '@openscf/persistence';
import type { RegistrySchema } from '../database/registry.schema.js';
import type { LayerRecord } from './layer.types.js';

function selected(db: Kysely<RegistrySchema>) {
  return db
    .selectFrom('layer_versions as l')
    .leftJoin('packages as p', 'p.sha256', 'l.package_sha256')
    .selectAll('l')
    .select(['p.sha256', 'p.size_bytes', 'p.object_key']);
}
type Row = Awaited<ReturnType<ReturnType<typeof selected>['execute']>>[number];

function recordOf(row: Row): LayerRecord {
  const { sha256, size_bytes: sizeBytes, object_key: objectKey } = row;
  return {
    layerName: row.layer_name,
    layerVersion: row.layer_version,
    package:
      sha256 === null || objectKey === null ? undefined : { sha256, sizeBytes: Number(sizeBytes), objectKey },
    compatibleRuntimes: row.compatible_runtimes,
    description: row.description,
    licenseInfo: row.license_info,
    createdAt: row.created_at,
  };
}

/** Layers and their versions. */
@Injectable()
export class LayersRepository {
  constructor(@Inject(Database) private readonly database: Database<RegistrySchema>) {}

  async find(
    layerName: string,
    layerVersion: number,
    db: Kysely<RegistrySchema> = this.database.kysely,
  ): Promise<LayerRecord | undefined> {
    const row = await selected(db)
      .where('l.layer_name', '=', layerName)
      .where('l.layer_version', '=', layerVersion)
      .executeTakeFirst();
    return row && recordOf(row);
  }

  /** Like `find`, and keeps the version from being deleted until the transaction ends. */
  async hold(
    tx: Kysely<RegistrySchema>,
    layerName: string,
    layerVersion: number,
  ): Promise<LayerRecord | undefined> {
    await tx
      .selectFrom('layer_versions')
      .select('layer_name')
      .where('layer_name', '=', layerName)
      .where('layer_version', '=', layerVersion)
      .forShare()
      .execute();
    return this.find(layerName, layerVersion, tx);
  }

  /** Versions that are not deleted, newest first. */
  async versions(
    layerName: string,
    db: Kysely<RegistrySchema> = this.database.kysely,
  ): Promise<LayerRecord[]> {
    const rows = await selected(db)
      .where('l.layer_name', '=', layerName)
      .where('l.package_sha256', 'is not', null)
      .orderBy('l.layer_version', 'desc')
      .execute();
    return rows.map(recordOf);
  }

  /** The newest version of each layer that has one, by name. An empty runtime means any. */
  async newest(query: { nameContains: string; runtime: string }): Promise<LayerRecord[]> {
    const rows = await selected(this.database.kysely)
      .distinctOn('l.layer_name')
      .where('l.package_sha256', 'is not', null)
      .where(sql<boolean>`strpos(l.layer_name, ${query.nameContains}) > 0`)
      .where(sql<boolean>`(${query.runtime} = '' OR ${query.runtime} = ANY(l.compatible_runtimes))`)
      .orderBy('l.layer_name')
      .orderBy('l.layer_version', 'desc')
      .execute();
    return rows.map(recordOf);
  }

  /** What is known of versions, deleted or not. */
  async describe(bindings: readonly { layerName: string; layerVersion: number }[]): Promise<LayerRecord[]> {
    const records = bindings.map(({ layerName, layerVersion }) => this.find(layerName, layerVersion));
    return (await Promise.all(records)).filter((record) => record !== undefined);
  }

  /** Keeps others from making layers meanwhile, and says how many there are that have a version. */
  async lockAll(tx: Kysely<RegistrySchema>): Promise<number> {
    await sql`SELECT pg_advisory_xact_lock(hashtextextended('layers', 0))`.execute(tx);
    const row = await tx
      .selectFrom('layer_versions')
      .select(sql<string>`count(DISTINCT layer_name)`.as('count'))
      .where('package_sha256', 'is not', null)
      .executeTakeFirstOrThrow();
    return Number(row.count);
  }

  /** The number of the layer's next version; never given twice. */
  async nextVersion(tx: Kysely<RegistrySchema>, layerName: string): Promise<number> {
    const row = await tx
      .insertInto('layers')
      .values({ layer_name: layerName, last_version: 1 })
      .onConflict((conflict) =>
        conflict.column('layer_name').doUpdateSet({ last_version: sql<number>`layers.last_version + 1` }),
      )
      .returning('last_version')
      .executeTakeFirstOrThrow();
    return row.last_version;
  }

  async insert(
    tx: Kysely<RegistrySchema>,
    record: LayerRecord & { package: { sha256: string } },
  ): Promise<void> {
    await tx
      .insertInto('layer_versions')
      .values({
        layer_name: record.layerName,
        layer_version: record.layerVersion,
        package_sha256: record.package.sha256,
        compatible_runtimes: record.compatibleRuntimes,
        description: record.description,
        license_info: record.licenseInfo,
        created_at: record.createdAt,
      })
      .execute();
  }

  /** Nobody can bind it any more; those that are bound to it keep its package. */
  async delete(tx: Kysely<RegistrySchema>, layerName: string, layerVersion: number): Promise<void> {
    await tx
      .updateTable('layer_versions')
      .set({ package_sha256: null })
      .where('layer_name', '=', layerName)
      .where('layer_version', '=', layerVersion)
      .execute();
  }
}
