// Brings parts and services up under one supervisor. Used by `npm start` and by tests.
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
import { Supervisor } from './supervisor/supervisor.ts';

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

  /** Starts the parts at once and resolves when all are healthy; rejects as soon as one fails. MinIO waits for Kafka, which its events go to. */
  async startParts(names: readonly PartName[]): Promise<void> {
    const starts = { kafka: () => this.startKafka(), postgres: () => this.startPostgres() };
    const kafkaUp = names.includes('kafka') ? starts.kafka() : Promise.resolve();
    const postgresUp = names.includes('postgres') ? starts.postgres() : Promise.resolve();
    const minioUp = names.includes('minio') ? this.startMinio(kafkaUp) : Promise.resolve();
    await Promise.all([kafkaUp, postgresUp, minioUp]);
  }

  /** Starts the services at once and resolves when all are ready. */
  async startServices(names: readonly ServiceName[], extra: Record<string, string> = {}): Promise<void> {
    await Promise.all(
      names.map((name) =>
        this.progress.step(name, () => this.supervisor.start(service(name, this.context, extra))),
      ),
    );
  }

  serviceEnvironment(): Record<string, string> {
    return serviceEnvironment(this.context);
  }

  private startKafka(): Promise<void> {
    return this.progress.step('kafka', async (report) => {
      const programs = await kafkaPrograms(this.settings.cache, report);
      report('starting');
      await this.supervisor.start(kafka(this.context, programs));
    });
  }

  private startPostgres(): Promise<void> {
    return this.progress.step('postgres', async (report) => {
      const programs = await postgresPrograms(report);
      report('starting');
      await this.supervisor.start(postgres(this.context, programs));
    });
  }

  private startMinio(kafkaUp: Promise<void>): Promise<void> {
    return this.progress.step('minio', async (report) => {
      const program = await minioProgram(this.settings.cache, report);
      report('waiting for kafka');
      await kafkaUp.catch(() => {}); // its own step tells
      report('starting');
      const spec = minio(this.context, program);
      await this.supervisor.start(spec);
      const {
        minioRootUser: rootUser,
        minioRootPassword: rootPassword,
        minioAccessKey: accessKey,
        minioSecretKey: secretKey,
      } = this.keys;
      const people = { accessKey, secretKey, closedBucket: this.settings.platformBucket };
      await ensurePeopleUser({ url: spec.url, rootUser, rootPassword }, people);
    });
  }
}
