/**
 * From the environment to one frozen, checked, typed object: a fragment (what a library needs), the check, the
 * error that names every wrong variable at once, the schemas for usual values, and the platform's own fragment.
 */
export * from './config.types.js';
export * from './config.errors.js';
export * from './config.schema.js';
export * from './load-config.js';
export * from './platform.config.js';
