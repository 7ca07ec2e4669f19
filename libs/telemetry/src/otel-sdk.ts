import { OTLPTraceExporter } from '@opentelemetry/exporter-trace-otlp-proto';
import { NodeSDK } from '@opentelemetry/sdk-node';

/** Loaded only when an endpoint is set. The exporter batches and never holds up a request. */
export function startSdk(service: string, endpoint: string): { shutdown(): Promise<void> } {
  const url = `${endpoint.replace(/\/$/, '')}/v1/traces`;
  const sdk = new NodeSDK({
    serviceName: service,
    traceExporter: new OTLPTraceExporter({ url }),
    instrumentations: [],
    autoDetectResources: false,
  });
  sdk.start();
  return sdk;
}
