// Brings parts and services up under one supervisor. Used by `npm start` and by tests.
import type { Report } from './caches/cache.ts';
import { kafkaPrograms } from './caches/kafka-programs.ts';
import { minioProgram } from './caches/minio-program.ts';
import { postgresPrograms } from './caches/postgres-programs.ts';
import { openHome, type Home } from './home/home.ts';
import { openKeys, type Keys } from './home/keys.ts';
import { ensurePeopleUser } from './minio-admin/client.ts';
import { kafka } from './parts/kafka.ts';
import { minio } from './parts/minio.ts';
import type { PartContext, PartName } from './parts/parts.ts';
import { postgres } from './parts/postgres.ts';
import type { Progress } from './progress/progress.ts';
import { service, serviceEnvironment, type ServiceName } from './services/services.ts';
import type { Settings } from './settings.ts';
import type { ChildSpec } from './supervisor/child-spec.ts';
import { Supervisor } from './supervisor/supervisor.ts';

/** Parts that start. */
export interface PartsStart {
  /** Resolves when every part has its programs and its process is about to start: what waits for a part now waits for seconds. */
  readonly begun: Promise<void>;
  /** Resolves when all are healthy; rejects as soon as one fails. */
  readonly up: Promise<void>;
  /** One promise for each, which resolves when it is healthy. */
  readonly each: readonly Promise<void>[];
  /** Those that are not healthy yet. */
  readonly starting: ReadonlySet<PartName>;
}

export class Platform {
  readonly settings: Settings;
  readonly home: Home;
  readonly keys: Keys;
  readonly supervisor: Supervisor;
  private readonly progress: Progress;
  private readonly context: PartContext;

  constructor(settings: Settings, progress: Progress) {
    this.settings = settings;
    this.progress = progress;
    this.home = openHome(settings.home);
    this.keys = openKeys(this.home);
    this.supervisor = new Supervisor(this.home);
    this.context = { home: this.home, keys: this.keys, settings };
  }

  /** Starts the parts at once. */
  startParts(names: readonly PartName[]): PartsStart {
    const starting = new Set(names);
    const begun: Promise<void>[] = [];
    const up = names.map((name) => {
      const { promise, resolve } = Promise.withResolvers<void>();
      begun.push(promise);
      return this.startPart(name, resolve).then(() => void starting.delete(name));
    });
    return { begun: all(begun), up: all(up), each: up, starting };
  }

  /** Starts the services at once, beside parts that may still be starting, and resolves when all are ready. */
  async startServices(
    names: readonly ServiceName[],
    { starting, each, up: givesWayUntil }: PartsStart,
    extra: Record<string, string> = {},
  ): Promise<void> {
    await Promise.all(
      names.map((name) =>
        this.progress.step(name, async (report) => {
          const tell = () =>
            report(starting.size === 0 ? 'starting' : `starting beside ${[...starting].join(', ')}`);
          tell();
          for (const up of each) up.then(tell, () => {}); // a part that fails tells in its own step
          await this.supervisor.start({ ...service(name, this.context, extra), givesWayUntil });
        }),
      ),
    );
  }

  serviceEnvironment(): Record<string, string> {
    return serviceEnvironment(this.context);
  }

  private startPart(name: PartName, begin: () => void): Promise<void> {
    return this.progress.step(name, async (report) => {
      const spec = await this.specOf(name, report);
      report('starting');
      begin();
      await this.supervisor.start(spec);
      if (name === 'minio') await this.makePeopleUser(spec.url);
    });
  }

  /** Fetches or builds the part's programs when the cache lacks them. */
  private async specOf(name: PartName, report: Report): Promise<ChildSpec> {
    const { cache } = this.settings;
    switch (name) {
      case 'kafka':
        return kafka(this.context, await kafkaPrograms(cache, report));
      case 'postgres':
        return postgres(this.context, await postgresPrograms(report));
      case 'minio':
        return minio(this.context, await minioProgram(cache, report));
    }
  }

  private async makePeopleUser(url: string): Promise<void> {
    const {
      minioRootUser: rootUser,
      minioRootPassword: rootPassword,
      minioAccessKey: accessKey,
      minioSecretKey: secretKey,
    } = this.keys;
    const people = { accessKey, secretKey, closedBucket: this.settings.platformBucket };
    await ensurePeopleUser({ url, rootUser, rootPassword }, people);
  }
}

async function all(promises: Promise<void>[]): Promise<void> {
  await Promise.all(promises);
}
