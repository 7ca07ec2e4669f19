/** MinIO behind a small port: objects, buckets and their notifications. */
export { OWN_RULE_PREFIX } from './notification.policy.js';
export * from './object-store.config.js';
export * from './object-store.errors.js';
export * from './object-store.js';
export * from './object-store.module.js';
export * from './object-store.types.js';
