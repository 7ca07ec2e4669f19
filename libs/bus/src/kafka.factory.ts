import type { Logger } from '@openscf/telemetry';
import {
  Kafka,
  logLevel,
  PartitionAssigners,
  Partitioners,
  type Admin,
  type Broker,
  type Cluster,
  type Consumer,
  type Producer,
} from 'kafkajs';
import { calmRequestQueue } from './request-queue.patch.js';

calmRequestQueue();

const CONNECT_TIMEOUT_MS = 2_000;
const REQUEST_TIMEOUT_MS = 10_000;
/** A member that is silent for so long loses its partitions: what a kill -9 costs the group. */
const SESSION_TIMEOUT_MS = 10_000;
const HEARTBEAT_MS = 2_000;
const REBALANCE_TIMEOUT_MS = 15_000;
/** Longest sleep of an idle fetch. It bounds how late a resumed partition is read again, and how long a stop takes. */
const FETCH_WAIT_MS = 1_000;
/** How late a new partition of a topic is found. */
const METADATA_AGE_MS = 10_000;

/** The client has it, its types do not. */
type LeavableBroker = Broker & {
  leaveGroup?: (member: { groupId: string; memberId: string }) => Promise<unknown>;
};

export interface GroupMember {
  readonly consumer: Consumer;
  /**
   * Tells the broker that earlier members of this client (same client id) are gone: a crash leaves them behind, and the broker would
   * wait for their sessions to end before it gives out partitions again. Call it between `connect` and `run`. A member that lives
   * after all (another replica by the same name) only has to join again.
   */
  readonly dismissEarlier: () => Promise<void>;
}

/**
 * Makes clients with the platform's limits. A consumer gives up soon, because `ConsumerSupervisor` makes a new one; a producer
 * gives up soon, because publishing must not wait for ever. What the client itself logs is `debug`: every outage is reported once,
 * by the role that met it.
 */
export class KafkaFactory {
  readonly kafka: Kafka;

  constructor(
    readonly brokers: readonly string[],
    readonly clientId: string,
    readonly logger: Logger,
  ) {
    this.kafka = new Kafka({
      brokers: [...brokers],
      clientId,
      connectionTimeout: CONNECT_TIMEOUT_MS,
      requestTimeout: REQUEST_TIMEOUT_MS,
      logLevel: logger.isLevelEnabled('debug') ? logLevel.WARN : logLevel.NOTHING,
      logCreator:
        () =>
        ({ namespace, log }) => {
          logger.debug({ client: namespace, reason: log['error'] }, log.message);
        },
      retry: { retries: 3, initialRetryTime: 150, maxRetryTime: 1_000 },
    });
  }

  /** Its first tries follow each other closely: a topic that was just made is not known everywhere for some milliseconds. */
  admin(): Admin {
    return this.kafka.admin({ retry: { retries: 5, initialRetryTime: 40, maxRetryTime: 1_000 } });
  }

  producer(): Producer {
    return this.kafka.producer({
      createPartitioner: Partitioners.DefaultPartitioner,
      allowAutoTopicCreation: false,
      metadataMaxAge: METADATA_AGE_MS,
      retry: { retries: 4, initialRetryTime: 150, maxRetryTime: 1_000 },
    });
  }

  consumer(groupId: string): GroupMember {
    let cluster: Cluster | undefined;
    const consumer = this.kafka.consumer({
      groupId,
      allowAutoTopicCreation: false,
      sessionTimeout: SESSION_TIMEOUT_MS,
      heartbeatInterval: HEARTBEAT_MS,
      rebalanceTimeout: REBALANCE_TIMEOUT_MS,
      maxWaitTimeInMs: FETCH_WAIT_MS,
      metadataMaxAge: METADATA_AGE_MS,
      partitionAssigners: [
        (config) => {
          ({ cluster } = config);
          return PartitionAssigners.roundRobin(config);
        },
      ],
      retry: {
        retries: 4,
        initialRetryTime: 150,
        maxRetryTime: 1_000,
        restartOnFailure: () => Promise.resolve(false),
      },
    });
    const dismissEarlier = async (): Promise<void> => {
      const { members } = await consumer.describeGroup();
      const coordinator: LeavableBroker | undefined = await cluster?.findGroupCoordinator({ groupId });
      for (const { clientId, memberId } of members) {
        if (clientId === this.clientId) await coordinator?.leaveGroup?.({ groupId, memberId });
      }
    };
    return { consumer, dismissEarlier };
  }
}
