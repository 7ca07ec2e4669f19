import { describe, expect, it } from 'vitest';
import { requireRuntime, runtimeFault } from './runtime-choice.policy.js';

const invoker = (runtimes: string[], missingRuntimes: Record<string, string> = {}) => ({
  runtimes,
  missingRuntimes,
});

describe('the choice of a runtime', () => {
  it('takes every known name on trust while no invoker is alive', () => {
    expect(() => requireRuntime('Php5.6', [])).not.toThrow();
    expect(() => requireRuntime('Nodejs99', [])).toThrow(
      /"Nodejs99" is not accepted: it must be one of .*Nodejs24/,
    );
  });

  it('needs one invoker that can start it', () => {
    const invokers = [invoker([], { Go1: 'no agent' }), invoker(['Go1'])];
    expect(runtimeFault('Go1', invokers)).toBeUndefined();
    expect(runtimeFault('Go1', invokers.slice(0, 1))).toBe('no agent');
  });

  it('tells each reason once, and what there is when nobody knows the runtime', () => {
    const missing = invoker([], { 'Php7.2': 'no package has it' });
    expect(runtimeFault('Php7.2', [missing, missing])).toBe('no package has it');
    expect(runtimeFault('Java8', [invoker(['Nodejs22'])])).toContain('they have Nodejs22');
    expect(runtimeFault('Java8', [invoker([])])).toContain('no runtime at all');
  });

  it('takes images unless every invoker says what they lack', () => {
    expect(runtimeFault('CustomImage', [invoker(['Nodejs22'])])).toBeUndefined();
    const lacking = invoker([], { CustomImage: 'install umoci' });
    expect(runtimeFault('CustomImage', [lacking, invoker([])])).toBeUndefined();
    expect(runtimeFault('CustomImage', [lacking])).toBe('install umoci');
  });
});
