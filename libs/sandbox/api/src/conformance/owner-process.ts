/** An owner that the suite kills: makes a driver, runs one sandbox, and stays. */
import type { SandboxDriver, SandboxDriverOptions, SandboxSpec } from '../sandbox.types.js';

interface Setting {
  module: string;
  factory: string;
  more: unknown[];
  options: SandboxDriverOptions;
  spec: SandboxSpec;
}

type Factory = (options: SandboxDriverOptions, ...more: unknown[]) => SandboxDriver;

const setting = JSON.parse(process.argv[2] ?? '{}') as Setting;
const factories = (await import(setting.module)) as Record<string, Factory>;
const driver = factories[setting.factory]?.(setting.options, ...setting.more);
if (!driver) throw new Error(`${setting.module} has no ${setting.factory}`);
await driver.prepare();
const sandbox = await driver.create(setting.spec);
sandbox.output.resume();
process.stdout.write('ready\n');
