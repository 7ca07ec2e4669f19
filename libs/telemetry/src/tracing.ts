import { setTimeout as delay } from 'node:timers/promises';
import { loadConfig } from '@openscf/config';
import { telemetryConfig } from './telemetry.config.js';

/**
 * Manual spans and W3C propagation. Nothing of OpenTelemetry is loaded until `startTelemetry` finds an OTLP endpoint: the
 * SDK costs 440 ms of boot, and a service without an endpoint pays one comparison per call.
 */
type Api = typeof import('@opentelemetry/api');
export type AttributeValue = string | number | boolean;
export type SpanRole = 'internal' | 'server' | 'client' | 'producer' | 'consumer';

/** What a span's body may do with it; nothing when tracing is off. */
export interface ActiveSpan {
  setAttribute(name: string, value: AttributeValue): void;
}

export interface SpanOptions {
  attributes?: Record<string, AttributeValue>;
  /** W3C traceparent that the span continues; without it the active span is the parent. */
  parent?: string | undefined;
  kind?: SpanRole;
}

export interface Telemetry {
  /** Sends what is left, for at most 2 s. Never rejects. */
  stop(): Promise<void>;
}

const NO_SPAN: ActiveSpan = { setAttribute: () => undefined };
const SPAN_KINDS: Record<SpanRole, number> = { internal: 0, server: 1, client: 2, producer: 3, consumer: 4 };
const TRACER = 'openscf';
const STOP_MS = 2_000;

let api: Api | undefined;

/** Starts the exporter when OTEL_EXPORTER_OTLP_ENDPOINT is set; otherwise loads nothing. Call once, first in `main.ts`. */
export async function startTelemetry(
  service: string,
  config = loadConfig(telemetryConfig),
): Promise<Telemetry> {
  if (config.otlpEndpoint === undefined) return { stop: () => Promise.resolve() };
  const { startSdk } = await import('./otel-sdk.js');
  const sdk = startSdk(service, config.otlpEndpoint);
  api = await import('@opentelemetry/api');
  return {
    stop: async () => {
      api = undefined;
      // A collector that is away must not keep a service from ending.
      await Promise.race([sdk.shutdown().catch(() => undefined), delay(STOP_MS, undefined, { ref: false })]);
    },
  };
}

/** False when no exporter runs; a hot path asks first and skips everything. */
export function isTracing(): boolean {
  return api !== undefined;
}

/** Trace id of the active span. */
export function currentTraceId(): string | undefined {
  return api?.trace.getActiveSpan()?.spanContext().traceId;
}

/** W3C traceparent of the active span, to send along. */
export function currentTraceparent(): string | undefined {
  const span = api?.trace.getActiveSpan()?.spanContext();
  if (!span) return undefined;
  return `00-${span.traceId}-${span.spanId}-${span.traceFlags.toString(16).padStart(2, '0')}`;
}

/** Adds `traceparent` to headers that are about to be sent. */
export function injectTrace(headers: Record<string, string>): void {
  const traceparent = currentTraceparent();
  if (traceparent !== undefined) headers['traceparent'] = traceparent;
}

/** Trace id of a traceparent, undefined when it is not one. */
export function traceIdOf(traceparent: string | undefined): string | undefined {
  return traceparent === undefined ? undefined : /^[0-9a-f]{2}-([0-9a-f]{32})-/.exec(traceparent)?.[1];
}

/** Runs `fn` inside a span that ends with it and keeps its error. Without tracing it only runs `fn`. */
export async function withSpan<T>(
  name: string,
  options: SpanOptions,
  fn: (span: ActiveSpan) => Promise<T> | T,
): Promise<T> {
  const otel = api;
  if (!otel) return fn(NO_SPAN);
  const active = otel.context.active();
  const parent =
    options.parent === undefined
      ? active
      : otel.propagation.extract(active, { traceparent: options.parent }, otel.defaultTextMapGetter);
  const kind = SPAN_KINDS[options.kind ?? 'internal'];
  const spanOptions = { kind, ...(options.attributes && { attributes: options.attributes }) };
  const span = otel.trace.getTracer(TRACER).startSpan(name, spanOptions, parent);
  try {
    return await otel.context.with(otel.trace.setSpan(parent, span), () => fn(span));
  } catch (error) {
    span.recordException(error instanceof Error ? error : String(error));
    span.setStatus({ code: otel.SpanStatusCode.ERROR });
    throw error;
  } finally {
    span.end();
  }
}
