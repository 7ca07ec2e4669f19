/** Logger and tracer, and how a trace crosses Kafka headers and frames. */
export * from './logger.js';
export * from './telemetry.config.js';
export * from './tracing.js';
