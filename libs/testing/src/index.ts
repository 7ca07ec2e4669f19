/** For tests: the real parts, a Docker engine, waiting for a condition, and states to begin with. */
export * from './engine.launcher.js';
export * from './eventually.js';
export * from './parts.js';
export * from './state.factory.js';
