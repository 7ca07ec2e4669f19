/** For tests: the real parts, a Docker engine, an image registry and images, waiting for a condition, and states to begin with. */
export * from './engine.launcher.js';
export * from './eventually.js';
export * from './image.factory.js';
export * from './image-registry.launcher.js';
export * from './parts.js';
export * from './state.factory.js';
export * from './leftovers.js';
