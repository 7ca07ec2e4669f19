/**
 * Files in the order of use:
 * - sandbox.driver.ts: prepare, create, recover, close
 * - container.config.ts, rootfs.images.ts: a specification and its root file system as the engine takes them
 * - running.sandbox.ts, exit.watch.ts: one container that runs, and how its end is noticed
 * - relay.container.ts, host-relay.ts, network.pool.ts: the network of instances
 * - engine.client.ts, host.check.ts, recovery.ts, driver.names.ts: the engine
 */
import {
  checkDriverOptions,
  SafeSandboxDriver,
  type SandboxDriver,
  type SandboxDriverOptions,
} from '@openscf/sandbox-api';
import type { EngineOptions } from './engine.client.js';
import { DockerSandboxDriver } from './sandbox.driver.js';

/** Throws SandboxError `invalid-spec` when the options are wrong; the engine is looked at by `prepare`. */
export function createDockerDriver(options: SandboxDriverOptions, engine?: EngineOptions): SandboxDriver {
  checkDriverOptions(options);
  return new SafeSandboxDriver(new DockerSandboxDriver(options, engine), options.createTimeoutMs);
}
