/** For tests: the real parts, waiting for a condition, and states to begin with. */
export * from './eventually.js';
export * from './parts.js';
export * from './state.factory.js';
