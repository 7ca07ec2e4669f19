/**
 * Files in the order of use:
 * - sandbox.driver.ts: prepare, create, recover, close
 * - container.config.ts: a specification as the engine takes it
 * - running.sandbox.ts: one container that runs, and how its end is noticed
 * - relay.container.ts, host-relay.ts, network.pool.ts: the network of instances
 * - host.check.ts, recovery.ts, driver.names.ts: the engine
 */
import {
  checkDriverOptions,
  SafeSandboxDriver,
  type SandboxDriver,
  type SandboxDriverOptions,
} from '@openscf/sandbox-api';
import { DockerSandboxDriver, type EngineOptions } from './sandbox.driver.js';

/** Throws SandboxError `invalid-spec` when the options are wrong; the engine is looked at by `prepare`. */
export function createDockerDriver(options: SandboxDriverOptions, engine?: EngineOptions): SandboxDriver {
  checkDriverOptions(options);
  return new SafeSandboxDriver(new DockerSandboxDriver(options, engine), options.createTimeoutMs);
}
