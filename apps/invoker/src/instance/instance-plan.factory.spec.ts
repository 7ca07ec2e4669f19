import type { FunctionState } from '@openscf/contracts';
import { describe, expect, it } from 'vitest';
import { makeInstancePlan, makeWarmPlan } from './instance-plan.factory.js';
import type { UnpackedImage } from '../image-store/image-store.types.js';
import { warmKeyOf } from './warm-key.policy.js';

const runtime = {
  name: 'Python3.11',
  language: 'python',
  version: '3.11',
  command: ['/var/lang/python311/bin/python', '/var/runtime/python/start.py'] as [string, ...string[]],
  env: { PATH: '/var/lang/python311/bin:/bin', USER: 'qcloud' },
  mounts: [{ source: '/host/lang', target: '/var/lang', readOnly: true }],
  rootfs: '/host/rootfs',
};
const code = { source: '/host/code', target: '/var/user', readOnly: true };
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
  type: 'Event',
  code: { kind: 'package' },
  sharedDirectories: [],
  publicNetwork: true,
} as unknown as FunctionState;

describe('instance plan', () => {
  it('gives the context of SCF', () => {
    expect(makeInstancePlan(state, runtime, place).init({ mounts: [] })['context']).toEqual({
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
    expect(plan.init({ mounts: [] })).toHaveProperty(
      'context.environ',
      'SCF_NAMESPACE=default;SCF_NAMESPACE=default;MINE=1;PATH=/own;SCF_RUNTIME=forged',
    );
    expect(plan.sandbox({ mounts: [code] }).env).toMatchObject({
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
    expect(plan.sandbox({ mounts: [code] })).toMatchObject({
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
    expect(plans[0]?.sandbox({ mounts: [code] }).network).toBe('relays');
  });

  it('gives a pooled instance all but the function, and the function late', () => {
    const plan = makeInstancePlan({ ...state, environment: { MINE: '1' } }, runtime, place);
    expect(plan.warmKey).toEqual({ runtime: 'Python3.11', network: 'egress', memoryMb: 256 });
    expect(plan.init({ mounts: [] })['environment']).toMatchObject({ MINE: '1', SCF_FUNCTIONNAME: 'hello' });
    const warm = makeWarmPlan({ runtime: 'Python3.11', network: 'egress', memoryMb: 256 }, runtime, place);
    expect(warm.sandbox).toMatchObject({
      command: runtime.command,
      mounts: runtime.mounts,
      lateTargets: ['/var/user', '/opt'],
      limits: { memoryMb: 256 },
    });
    expect(warm.sandbox.env).not.toHaveProperty('SCF_FUNCTIONNAME');
  });

  it.each([
    ['is a web function', { type: 'HTTP' }],
    ['is an image', { code: { kind: 'image' } }],
    ['has variables that are read at the start', { environment: { NODE_OPTIONS: '--inspect' } }],
    ['has shared directories', { sharedDirectories: [{}] }],
  ])('starts without the pool what %s', (_what, change) => {
    expect(warmKeyOf({ ...state, ...change } as FunctionState, runtime)).toBeUndefined();
  });

  it('lets the agent run a web function of any runtime', () => {
    const web = { ...state, type: 'HTTP' as const };
    const spec = makeInstancePlan(web, { ...runtime, agent: '/host/agent' }, place).sandbox({
      mounts: [code],
    });
    expect(spec.command).toEqual(['/var/runtime/agent/agent', 'web']);
    expect(spec.mounts).toContainEqual({
      source: '/host/agent',
      target: '/var/runtime/agent',
      readOnly: true,
    });
    expect(() => makeInstancePlan(web, runtime, place).sandbox({ mounts: [code] })).toThrow(
      /the agent.* was not made/,
    );
  });

  it('starts an image by the agent, with what the image says under what the function says', () => {
    const image = {
      rootfs: '/host/image',
      config: { entrypoint: ['/serve'], cmd: ['-v'], env: { A: 'image', B: 'image' }, workingDir: '/srv' },
    } as unknown as UnpackedImage;
    const change = {
      code: { kind: 'image', command: [], args: ['-q'], port: 9000 },
      environment: { B: 'own' },
    };
    const ours = { ...runtime, mounts: [], agent: '/host/agent' };
    const plan = makeInstancePlan({ ...state, ...change } as unknown as FunctionState, ours, place);
    expect(plan.sandbox({ mounts: [], image })).toMatchObject({
      rootfs: '/host/image',
      command: ['/var/runtime/agent/agent', 'image'],
      pidOne: '/host/agent/agent',
      env: { A: 'image', B: 'own', SCF_NAMESPACE: 'default' },
      mounts: [{ source: '/host/agent', target: '/var/runtime/agent', readOnly: true }],
    });
    expect(plan.init({ mounts: [], image })).toMatchObject({
      type: 'Event',
      command: ['/serve', '-q'],
      workDir: '/srv',
      port: 9000,
    });
  });
});
