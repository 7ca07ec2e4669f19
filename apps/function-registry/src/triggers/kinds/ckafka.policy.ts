import { CallerError, type CkafkaTrigger } from '@openscf/contracts';
import { errorCodes, parseCkafkaDesc } from '@openscf/scf-api';

/** The platform's own Kafka, the one instance there is. */
export const LOCAL_INSTANCE = 'ckafka-local';

/** Kafka's own rule for topics. */
const TOPIC = /^(?!\.{1,2}$)[\w.-]{1,249}$/;
/** Topics of the platform and of Kafka itself: reading them would give away events, secrets and offsets. */
const PLATFORM_TOPIC = /^(openscf\.|__)/;

type CkafkaPart = Pick<
  CkafkaTrigger,
  'instanceId' | 'topic' | 'maxMessages' | 'maxWaitMs' | 'retries' | 'offset' | 'consumerGroup'
>;

/** Reads the name `<instanceId>-<topic>`. */
export function ckafkaSourceOf(triggerName: string): { instanceId: string; topic: string } {
  const shown = `TriggerName "${triggerName}"`;
  if (!triggerName.startsWith(`${LOCAL_INSTANCE}-`)) {
    if (triggerName.startsWith('ckafka-')) {
      const message = `${shown} names an instance that does not exist; the one that exists is ${LOCAL_INSTANCE}.`;
      throw new CallerError(errorCodes.noCkafka, message);
    }
    const accepts = `<instanceId>-<topic>, for example ${LOCAL_INSTANCE}-orders`;
    throw new CallerError(errorCodes.badTriggerName, `${shown} is not accepted: it must be ${accepts}.`);
  }
  const topic = triggerName.slice(LOCAL_INSTANCE.length + 1);
  if (!TOPIC.test(topic)) {
    const accepts = '1 to 249 letters, digits, dots, _ and -';
    throw new CallerError(
      errorCodes.badTriggerName,
      `${shown} is not accepted: the topic must be ${accepts}.`,
    );
  }
  if (PLATFORM_TOPIC.test(topic)) {
    const message = `${shown} is not accepted: topics that begin with "openscf." or "__" belong to the platform.`;
    throw new CallerError(errorCodes.badCkafka, message);
  }
  return { instanceId: LOCAL_INSTANCE, topic };
}

export function ckafkaPartOf(triggerName: string, desc: string): CkafkaPart {
  const source = ckafkaSourceOf(triggerName);
  const { maxMsgNum, offset, retry, timeOut, consumerGroupName } = parseCkafkaDesc(desc);
  if (consumerGroupName.startsWith('openscf')) {
    throw new CallerError(
      errorCodes.badCkafka,
      `TriggerDesc.consumerGroupName "${consumerGroupName}" is not accepted: groups that begin with "openscf" belong to the platform.`,
    );
  }
  return {
    ...source,
    maxMessages: maxMsgNum,
    maxWaitMs: timeOut * 1000,
    retries: retry,
    offset,
    consumerGroup: consumerGroupName,
  };
}
