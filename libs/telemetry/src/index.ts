/** Logger and tracer, how a trace crosses Kafka headers and frames, and how a service waits for a part and says so. */
export * from './logger.js';
export * from './telemetry.config.js';
export * from './tracing.js';
export * from './wait-for-part.js';
