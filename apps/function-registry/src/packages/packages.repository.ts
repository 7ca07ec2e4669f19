import { Inject, Injectable } from '@nestjs/common';
import type { CodePackage } from '@openscf/contracts';
import { Database, sql, type Kysely } from '@openscf/persistence';
import type { RegistrySchema } from '../database/registry.schema.js';

/** Rows of the packages in the object store. A package may only be stored while it has a row, and the row goes first. */
@Injectable()
export class PackagesRepository {
  constructor(@Inject(Database) private readonly database: Database<RegistrySchema>) {}

  /** Says that the package is being taken into use: from now on it is not swept for a while. Waits for a sweep of it. */
  async touch({ sha256, sizeBytes, objectKey }: CodePackage, unpackedBytes: number): Promise<void> {
    const columns = { unpacked_bytes: unpackedBytes, touched_at: sql<Date>`now()` };
    await this.database.kysely
      .insertInto('packages')
      .values({ sha256, size_bytes: sizeBytes, object_key: objectKey, ...columns })
      .onConflict((conflict) => conflict.column('sha256').doUpdateSet(columns))
      .execute();
  }

  /** What the package unpacks to; undefined without a row, or when it was never measured. */
  async unpackedBytes(
    sha256: string,
    db: Kysely<RegistrySchema> = this.database.kysely,
  ): Promise<number | undefined> {
    const row = await db
      .selectFrom('packages')
      .select('unpacked_bytes')
      .where('sha256', '=', sha256)
      .executeTakeFirst();
    const bytes = row?.unpacked_bytes ?? undefined;
    return bytes === undefined ? undefined : Number(bytes);
  }

  /** Says that a function or layer has just stopped using the package, as a part of its change. */
  async leave(tx: Kysely<RegistrySchema>, sha256: string): Promise<void> {
    await tx
      .updateTable('packages')
      .set({ touched_at: sql<Date>`now()` })
      .where('sha256', '=', sha256)
      .execute();
  }

  /**
   * Removes one package that no function and no layer uses and nobody has touched for `graceMs`: `removeObject` first, then the row. Who wants to use
   * it meanwhile waits in `touch` and then finds it gone. Returns false when there is none.
   */
  removeUnused(graceMs: number, removeObject: (objectKey: string) => Promise<void>): Promise<boolean> {
    return this.database.transaction(async (tx) => {
      const found = await tx
        .selectFrom('packages as p')
        .select(['p.sha256', 'p.object_key'])
        .where('p.touched_at', '<', sql<Date>`now() - make_interval(secs => ${graceMs / 1000})`)
        .where(
          sql<boolean>`NOT EXISTS (SELECT FROM function_versions v WHERE v.package_sha256 = p.sha256)
            AND NOT EXISTS (SELECT FROM function_layers l WHERE l.package_sha256 = p.sha256)
            AND NOT EXISTS (SELECT FROM layer_versions lv WHERE lv.package_sha256 = p.sha256)`,
        )
        .limit(1)
        .forUpdate('p')
        .skipLocked()
        .executeTakeFirst();
      if (!found) return false;
      await tx.deleteFrom('packages').where('sha256', '=', found.sha256).execute();
      await removeObject(found.object_key);
      return true;
    });
  }

  /** Gives a row to a package that has none, so that it is swept like any other. */
  async adopt({ sha256, sizeBytes, objectKey }: CodePackage): Promise<void> {
    await this.database.kysely
      .insertInto('packages')
      .values({ sha256, size_bytes: sizeBytes, object_key: objectKey })
      .onConflict((conflict) => conflict.doNothing())
      .execute();
  }
}
