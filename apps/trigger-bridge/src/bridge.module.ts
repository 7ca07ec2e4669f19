import { Module, type DynamicModule, type FactoryProvider } from '@nestjs/common';
import { Bus, BusModule } from '@openscf/bus';
import { topics } from '@openscf/contracts';
import { Dispatcher } from '@openscf/dispatch';
import { ObjectStore, ObjectStoreModule } from '@openscf/object-store';
import { Database, PersistenceModule } from '@openscf/persistence';
import { Readiness } from '@openscf/service-kit';
import type { Logger } from '@openscf/telemetry';
import type { BridgeConfig } from './bridge.config.js';
import type { BridgeSchema } from './bridge.schema.js';
import { BridgeService } from './bridge.service.js';
import { BatchRunner } from './kinds/kafka/batch.runner.js';
import { DeadBatchPublisher } from './kinds/kafka/dead-batch.publisher.js';
import { KafkaKind } from './kinds/kafka/kafka.kind.js';
import { BucketNotificationService } from './kinds/object-store/bucket-notification.service.js';
import { BucketTriggers } from './kinds/object-store/bucket-triggers.js';
import {
  NotifiedBucketRepository,
  notifiedBucketMigration,
} from './kinds/object-store/notified-bucket.repository.js';
import { ObjectCatchUp } from './kinds/object-store/object-catch-up.service.js';
import { ObjectChangeHandler } from './kinds/object-store/object-change.handler.js';
import { ObjectStoreKind } from './kinds/object-store/object-store.kind.js';
import { SeenEventRepository, seenEventMigration } from './kinds/object-store/seen-event.repository.js';
import { timerCursorMigration, TimerCursorRepository } from './kinds/timer/timer-cursor.repository.js';
import { TimerService } from './kinds/timer/timer.service.js';
import { FunctionCaller } from './publishing/function.caller.js';
import { TriggerFollower } from './triggers/trigger.follower.js';

const migrations = {
  '0001-timer-cursors': timerCursorMigration,
  '0002-seen-object-events': seenEventMigration,
  '0003-notified-buckets': notifiedBucketMigration,
};

/** First wait after an error of the platform, and the longest. */
const PLATFORM_RETRY_MS = { platformFirstMs: 500, platformLastMs: 60_000 };
/** How far back objects are looked for that were put before their bucket reported. */
const CATCH_UP_REACH_MS = 600_000;
const BUCKET_TIMES = { retryMs: 2_000, auditMs: 30_000 };

/** Puts the bridge together: the parts, one kind for each type of trigger, and the follower that feeds them. */
@Module({})
export class BridgeModule {
  static forRoot(config: BridgeConfig, logger: Logger): DynamicModule {
    return {
      module: BridgeModule,
      imports: [
        BusModule.forRoot({ brokers: config.kafkaBrokers, clientId: 'openscf-trigger-bridge', logger }),
        PersistenceModule.forRoot({ url: config.postgresUrl, schema: 'bridge', migrations, logger }),
        ObjectStoreModule.forRoot({
          url: config.minioUrl,
          accessKey: config.minioRootUser,
          secretKey: config.minioRootPassword,
        }),
      ],
      providers: [
        dispatcherProvider(logger),
        timerProvider(config, logger),
        objectStoreProvider(config, logger),
        kafkaProvider(config, logger),
        {
          provide: TriggerFollower,
          useFactory: (bus: Bus, timer: TimerService, objects: ObjectStoreKind, kafka: KafkaKind) =>
            new TriggerFollower(bus.table(topics.triggers), [timer, objects, kafka]),
          inject: [Bus, TimerService, ObjectStoreKind, KafkaKind],
        },
        {
          provide: BridgeService,
          useFactory: (bus: Bus, follower: TriggerFollower, dispatcher: Dispatcher, readiness: Readiness) =>
            new BridgeService(bus, follower, dispatcher, readiness),
          inject: [Bus, TriggerFollower, Dispatcher, Readiness],
        },
      ],
    };
  }
}

function dispatcherProvider(logger: Logger): FactoryProvider<Dispatcher> {
  return {
    provide: Dispatcher,
    useFactory: (bus: Bus) => new Dispatcher({ invokers: bus.table(topics.invokers), logger }),
    inject: [Bus],
  };
}

function timerProvider(config: BridgeConfig, logger: Logger): FactoryProvider<TimerService> {
  return {
    provide: TimerService,
    useFactory: (bus: Bus, database: Database<BridgeSchema>) =>
      new TimerService(new TimerCursorRepository(database), bus, logger, {
        account: config,
        catchUpMs: config.timerCatchUpSeconds * 1_000,
      }),
    inject: [Bus, Database],
  };
}

function objectStoreProvider(config: BridgeConfig, logger: Logger): FactoryProvider<ObjectStoreKind> {
  return {
    provide: ObjectStoreKind,
    useFactory: (bus: Bus, database: Database<BridgeSchema>, store: ObjectStore) => {
      const triggers = new BucketTriggers();
      const buckets = new NotifiedBucketRepository(database);
      const seen = new SeenEventRepository(database);
      const wanted = (bucket: string): boolean => triggers.of(bucket).length > 0;
      const handler = new ObjectChangeHandler((bucket) => triggers.of(bucket), seen, bus, logger, config);
      const catchUp = new ObjectCatchUp(
        (bucket) => triggers.of(bucket),
        store,
        (reports) => handler.handle(reports, { found: true }),
        logger,
        { reachMs: CATCH_UP_REACH_MS },
      );
      const notifications = new BucketNotificationService(
        wanted,
        store,
        buckets,
        (bucket) => catchUp.run(bucket),
        logger,
        BUCKET_TIMES,
      );
      return new ObjectStoreKind(triggers, notifications, handler, seen, bus, logger);
    },
    inject: [Bus, Database, ObjectStore],
  };
}

function kafkaProvider(config: BridgeConfig, logger: Logger): FactoryProvider<KafkaKind> {
  return {
    provide: KafkaKind,
    useFactory: (bus: Bus, dispatcher: Dispatcher) => {
      const caller = new FunctionCaller(bus.table(topics.functions), dispatcher);
      const times = { functionErrorMs: config.kafkaRetrySeconds * 1_000, ...PLATFORM_RETRY_MS };
      return new KafkaKind(bus, new BatchRunner(caller, new DeadBatchPublisher(bus, config), times), logger);
    },
    inject: [Bus, Dispatcher],
  };
}
