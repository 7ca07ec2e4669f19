/**
 * Kafka behind a few roles: publish, consume (message by message, in batches, a user's topic as a stream), a compacted topic as
 * a table, request and reply. Nothing outside this library sees the Kafka client.
 */
export * from './bus.types.js';
export * from './bus.config.js';
export * from './bus.js';
export * from './bus.module.js';
export * from './command-server.js';
export * from './bus.errors.js';
export * from './command-error.filter.js';
