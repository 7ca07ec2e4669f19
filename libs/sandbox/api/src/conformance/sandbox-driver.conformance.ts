/**
 * The suite that every driver passes, on a real host. Files in the order of use:
 * - harness.conformance.ts: what a driver gives to the suite, and how tests run commands in sandboxes
 * - execution, late-mounts, shared-mounts, limits, isolation, privileges, network, lifecycle (each .conformance.ts): what is promised, by subject
 * - attack-host, attack-escalation, attack-network, attack-resources (each .conformance.ts): functions that attack
 * - soak.conformance.ts: many starts leave nothing behind
 * - host-leftovers.ts: what of an owner is on the host
 * - owner-process.ts: an owner in a process of its own, to be killed
 */
import { describe } from 'vitest';
import { describeEscalation } from './attack-escalation.conformance.js';
import { describeAttacksOnHost } from './attack-host.conformance.js';
import { describeAttacksOnNetwork } from './attack-network.conformance.js';
import { describeAttacksOnResources } from './attack-resources.conformance.js';
import { describeExecution } from './execution.conformance.js';
import { useDriver, type ConformanceHarness } from './harness.conformance.js';
import { describeIsolation } from './isolation.conformance.js';
import { describeLateMounts, describePidOne } from './late-mounts.conformance.js';
import { describeLifecycle } from './lifecycle.conformance.js';
import { describeLimits, describeTmp } from './limits.conformance.js';
import { describeNetwork } from './network.conformance.js';
import { describePrivileges } from './privileges.conformance.js';
import { describeSharedMounts } from './shared-mounts.conformance.js';
import { describeSoak } from './soak.conformance.js';

export { preparedRootfs, type ConformanceHarness } from './harness.conformance.js';
export { hostLeftovers } from './host-leftovers.js';

export function describeSandboxDriver(name: string, harness: ConformanceHarness): void {
  describe(`the ${name} driver keeps the sandbox contract`, { timeout: 120_000 }, () => {
    const bench = useDriver(harness);
    describeExecution(bench);
    describeLateMounts(bench, harness);
    describeSharedMounts(bench);
    describePidOne(bench);
    describeLimits(bench);
    describeTmp(bench);
    describeIsolation(bench);
    describePrivileges(bench);
    describeNetwork(bench);
    describeAttacksOnHost(bench);
    describeEscalation(bench);
    describeAttacksOnNetwork(bench);
    describeAttacksOnResources(bench);
    describeLifecycle(bench, harness);
    describeSoak(bench, harness);
  });
}
