import type { FunctionState } from '@openscf/contracts';
import { describe, expect, it } from 'vitest';
import { makeInstancePlan } from './instance-plan.factory.js';

const runtime = {
  name: 'Python3.11',
  language: 'python',
  version: '3.11',
  command: ['/var/lang/python311/bin/python', '/var/runtime/python/bootstrap.py'],
  env: { PATH: '/var/lang/python311/bin:/bin', USER: 'qcloud' },
  mounts: [{ source: '/host/lang', target: '/var/lang', readOnly: true }],
  rootfs: '/host/rootfs',
};
const place = { region: 'ap-guangzhou', appId: '125', uin: '100', runRoot: '/run/io' };
const state = {
  namespace: 'default',
  functionName: 'hello',
  version: '$LATEST',
  runtime: 'Python3.11',
  handler: 'index.main_handler',
  memoryMb: 256,
  timeoutMs: 3_000,
  environment: {},
  publicNetwork: true,
} as FunctionState;

describe('instance plan', () => {
  it('gives the context of SCF', () => {
    expect(makeInstancePlan(state, runtime, place).context).toEqual({
      memory_limit_in_mb: 256,
      time_limit_in_ms: 3_000,
      environment: '{"SCF_NAMESPACE":"default"}',
      environ: 'SCF_NAMESPACE=default;SCF_NAMESPACE=default',
      function_version: '$LATEST',
      function_name: 'hello',
      namespace: 'default',
      tencentcloud_region: 'ap-guangzhou',
      tencentcloud_appid: '125',
      tencentcloud_uin: '100',
    });
  });

  it("shows the user's variables in the context and in the environment, but not over reserved ones", () => {
    const environment = { MINE: '1', PATH: '/own', SCF_RUNTIME: 'forged' };
    const plan = makeInstancePlan({ ...state, environment }, runtime, place);
    expect(plan.context['environ']).toBe(
      'SCF_NAMESPACE=default;SCF_NAMESPACE=default;MINE=1;PATH=/own;SCF_RUNTIME=forged',
    );
    expect(plan.sandbox('/host/code').env).toMatchObject({
      MINE: '1',
      PATH: '/own',
      USER: 'qcloud',
      SCF_RUNTIME: 'Python3.11',
      SCF_FUNCTIONNAME: 'hello',
      SCF_FUNCTIONVERSION: '$LATEST',
      SCF_NAMESPACE: 'default',
      TENCENTCLOUD_RUNENV: 'SCF',
      TENCENTCLOUD_REGION: 'ap-guangzhou',
      HOSTNAME: plan.id,
      _SCF_SERVER_PORT: '28902',
    });
  });

  it('limits the sandbox as the function says, and mounts the code read-only', () => {
    const plan = makeInstancePlan(state, runtime, place);
    expect(plan.sandbox('/host/code')).toMatchObject({
      id: plan.id,
      rootfs: '/host/rootfs',
      cwd: '/var/user',
      runDirectory: `/run/io/${plan.id}`,
      limits: { memoryMb: 256, cpuShares: 256, pids: 1024, openFiles: 1024, tmpMb: 512 },
      network: 'egress',
      mounts: [
        { source: '/host/lang', target: '/var/lang', readOnly: true },
        { source: '/host/code', target: '/var/user', readOnly: true },
      ],
    });
  });

  it('gives every instance another id, and no public network where it is switched off', () => {
    const plans = [1, 2, 3].map(() => makeInstancePlan({ ...state, publicNetwork: false }, runtime, place));
    expect(new Set(plans.map(({ id }) => id)).size).toBe(3);
    expect(plans[0]?.sandbox('/c').network).toBe('relays');
  });
});
