import { PlatformError } from '@openscf/contracts';

/** A record that does not fit its topic was about to be written: a mistake of ours, found before it can do harm. */
export class InvalidRecordError extends PlatformError {
  constructor(topicName: string, reason: string) {
    super(`Record does not fit topic ${topicName}: ${reason}`, {
      code: 'InternalError',
      fault: 'platform',
      retryable: false,
      info: { topic: topicName },
    });
  }
}
