import type { CompactedTable } from '@openscf/bus';
import type { Topic } from '@openscf/contracts';
import type { SandboxDriver } from '@openscf/sandbox-api';
import type { Readiness } from '@openscf/service-kit';
import type { Logger } from '@openscf/telemetry';
import type { HostFiles } from './code-cache/host-files.factory.js';
import type { InstancePlace } from './instance/instance-plan.factory.js';
import type { RuntimeCatalog } from './instance/runtime-catalog.js';
import type { InvokerConfig } from './invoker.config.js';
import type { RecordBus } from './log-shipping/record.shipper.js';

/** What the invoker uses of the bus. */
export interface InvokerBus extends RecordBus {
  table<T>(topic: Topic<T>): CompactedTable<T>;
}

/** What is made outside: the host's and the platform's parts. */
export interface InvokerSurroundings {
  readonly bus: InvokerBus;
  readonly driver: SandboxDriver;
  readonly runtimes: Pick<RuntimeCatalog, 'names' | 'missing' | 'get' | 'host'>;
  readonly files: HostFiles;
  readonly readiness: Pick<Readiness, 'add'>;
  readonly logger: Logger;
}

export type InvokerSettings = Pick<
  InvokerConfig,
  | 'home'
  | 'region'
  | 'appId'
  | 'uin'
  | 'invokerId'
  | 'memoryMb'
  | 'keepAliveSeconds'
  | 'warmPoolMb'
  | 'scaleOutPerMinute'
  | 'webStreamMb'
  | 'dispatchHost'
  | 'dispatchPort'
  | 'advertisedHost'
> &
  Pick<InstancePlace, 'codeRoot'>;
