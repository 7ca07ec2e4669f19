/**
 * What crosses a process boundary, in the order in which an invocation meets it:
 * errors and ids, the state that every service caches (functions, triggers, credentials, invokers, placements),
 * commands, the dispatch hop, async events, and what is left behind (invocations, log lines).
 */
export * from './platform.errors.js';
export * from './ids.js';
export * from './topics.js';
export * from './function.schema.js';
export * from './trigger.schema.js';
export * from './concurrency.schema.js';
export * from './credential.schema.js';
export * from './invoker.schema.js';
export * from './placement.schema.js';
export * from './grant-fence.policy.js';
export * from './command.schema.js';
export * from './dispatch.schema.js';
export * from './event.schema.js';
export * from './object-event.schema.js';
export * from './invocation.schema.js';
export * from './log-line.schema.js';
