/** Headers of a command and its reply. */
export const commandHeader = {
  action: 'action',
  correlationId: 'correlation-id',
  replyTopic: 'reply-topic',
  /** Milliseconds since the epoch; after it nobody waits for the reply. */
  deadline: 'deadline',
} as const;
