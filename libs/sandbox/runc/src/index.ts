/**
 * Files in the order of use:
 * - sandbox.driver.ts: prepare, create, recover, close
 * - container.config.ts, runc.starter.ts: a specification as an OCI bundle, started by runc
 * - native.plan.ts, mount-ids.policy.ts, seccomp.filter.ts, syscall.numbers.ts: the same for the launcher
 * - host.types.ts, spawning.host.ts, launcher.process.ts: who acts on the host
 * - running.sandbox.ts: one container that runs, and how its end is noticed
 * - cgroup.ts: limits and readings, version 1 and 2, as files
 * - late.mounts.ts: folders that come into a sandbox after its start
 * - router.network.ts, relay.ts, network.pool.ts: the network of instances
 * - scratch.pool.ts, fifo.pool.ts, host-ids.ts: other things that each sandbox takes and gives back
 * - host.check.ts, recovery.ts, driver-paths.ts, host-command.ts: the host
 */
import {
  checkDriverOptions,
  SafeSandboxDriver,
  type SandboxDriver,
  type SandboxDriverOptions,
} from '@openscf/sandbox-api';
import { RuncSandboxDriver, type LauncherOptions } from './sandbox.driver.js';

export type { LauncherOptions } from './sandbox.driver.js';

/** Throws SandboxError `invalid-spec` when the options are wrong; the host is looked at by `prepare`. */
export function createRuncDriver(
  options: SandboxDriverOptions,
  launcher: LauncherOptions = {},
): SandboxDriver {
  checkDriverOptions(options);
  return new SafeSandboxDriver(new RuncSandboxDriver(options, launcher), options.createTimeoutMs);
}
