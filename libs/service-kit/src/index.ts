/** How a service starts, says that it is well, drains and ends: the same for all six. */
export * from './on-drain.js';
export type { OnPrepare } from './on-prepare.js';
export * from './readiness.service.js';
export * from './run-service.js';
export * from './service.types.js';
