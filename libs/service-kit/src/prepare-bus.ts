import type { INestApplication } from '@nestjs/common';
import { NestMicroservice } from '@nestjs/microservices';
import { Bus, CommandErrorFilter, KafkaCommandServer } from '@openscf/bus';
import { topics } from '@openscf/contracts';
import { Readiness } from './readiness.service.js';
import type { ServiceOptions } from './service.types.js';

/** Makes the topics, waiting for Kafka as long as it takes, and starts to answer commands when the service does that. */
export async function prepareBus(
  app: INestApplication,
  options: ServiceOptions,
  signal: AbortSignal,
): Promise<void> {
  const bus = app.get(Bus, { strict: false });
  if (!options.readyWithoutKafka) app.get(Readiness).add('kafka', () => bus.isReachable());
  if (!(await bus.open(Object.values(topics), signal))) signal.throwIfAborted();
  if (!options.commands) return;
  if (options.name !== 'function-registry' && options.name !== 'log') {
    throw new TypeError(`service is "${options.name}"; commands are answered by function-registry and log`);
  }
  // Deferred, because a filter can only be set before the initialisation.
  const commands = app.connectMicroservice(
    { strategy: new KafkaCommandServer({ bus, service: options.name }) },
    { deferInitialization: true },
  );
  commands.useGlobalFilters(new CommandErrorFilter());
  // The application has called the hooks of its providers; a deferred microservice would call them all once more.
  if (commands instanceof NestMicroservice) commands.setIsInitHookCalled(true);
}
