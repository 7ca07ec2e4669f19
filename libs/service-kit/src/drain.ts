import type { INestApplication } from '@nestjs/common';
import { Bus } from '@openscf/bus';
import type { Logger } from '@openscf/telemetry';
import { findOnDrain } from './on-drain.js';
import { Readiness } from './readiness.service.js';

/** Not ready any more → everything that is in flight is finished → modules are destroyed and connections closed. */
export async function drainApp(app: INestApplication, deadlineMs: number, logger: Logger): Promise<void> {
  app.get(Readiness).stop();
  const bus = app.get(Bus, { strict: false });
  const drains = findOnDrain(app).filter((provider) => provider !== bus);
  const outcomes = await Promise.allSettled([
    ...drains.map((provider) => provider.drain(deadlineMs)),
    bus.drain(deadlineMs),
  ]);
  for (const outcome of outcomes) {
    if (outcome.status === 'rejected') logger.warn({ error: outcome.reason }, 'drain failed');
  }
  await app.close();
}
