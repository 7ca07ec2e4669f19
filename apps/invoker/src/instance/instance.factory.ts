import type { FunctionState } from '@openscf/contracts';
import type { SandboxDriver, SandboxExit } from '@openscf/sandbox-api';
import { Instance } from './instance.js';
import { InstanceProcess } from './instance-process.js';
import { makeInstancePlan, makeWarmPlan, type InstancePlace } from './instance-plan.factory.js';
import type { InstanceFiles } from './instance.types.js';
import type { Runtime, RuntimeCatalog } from './runtime-catalog.js';
import type { WarmKey } from './warm-key.policy.js';

export interface InstanceFactoryOptions {
  readonly driver: Pick<SandboxDriver, 'create'>;
  readonly place: InstancePlace;
  readonly runtimes: Pick<RuntimeCatalog, 'get' | 'host'>;
  readonly files: (state: FunctionState) => Promise<InstanceFiles>;
  /** Must files be pulled first, which may take minutes? */
  readonly mustPull: (state: FunctionState) => boolean;
  readonly takeWarm: (key: WarmKey) => InstanceProcess | undefined;
  readonly onLost: (instance: Instance, exit: SandboxExit) => void;
}

/** A bootstrap that has not said hello by then never will. */
const HELLO_MS = 30_000;

/** Makes instances of functions, and processes that wait for one. */
export class InstanceFactory {
  constructor(private readonly options: InstanceFactoryOptions) {}

  /** To be called for functions that this host can run. */
  create(state: FunctionState): Instance {
    const { driver, place, onLost } = this.options;
    return new Instance(makeInstancePlan(state, this.runtimeOf(state), place), {
      driver,
      files: (plan) => this.options.files(plan.state),
      mustPull: (plan) => this.options.mustPull(plan.state),
      takeWarm: ({ warmKey }) => (warmKey === undefined ? undefined : this.options.takeWarm(warmKey)),
      onLost,
    });
  }

  /** Resolves when its bootstrap waits to be told what to run. */
  async startWarm(key: WarmKey): Promise<InstanceProcess> {
    const { driver, place } = this.options;
    const plan = makeWarmPlan(key, this.runtime(key.runtime), place);
    const process = new InstanceProcess(plan.id, plan.runDirectory, driver);
    try {
      await process.start(plan.sandbox);
      await helloOf(process);
      return process;
    } catch (error) {
      await process.destroy();
      throw error;
    }
  }

  /** An image brings its own; of ours it needs the agent. */
  private runtimeOf({ code, runtime }: FunctionState): Runtime {
    if (code.kind === 'package') return this.runtime(runtime);
    const { agent, rootfs } = this.options.runtimes.host;
    const none = { name: runtime, language: '', version: '', command: [''] as [string], env: {}, mounts: [] };
    return { ...none, rootfs, ...(agent !== undefined && { agent }) };
  }

  private runtime(name: string): Runtime {
    const runtime = this.options.runtimes.get(name);
    if (runtime === undefined) throw new Error(`this host has no runtime ${name}`);
    return runtime;
  }
}

async function helloOf(process: InstanceProcess): Promise<void> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<string>((resolve) => {
    timer = setTimeout(resolve, HELLO_MS, 'did not say hello');
  });
  const exited = process.ended.then(
    ({ exitCode, signal }) => `has exited (${exitCode ?? signal ?? 'unknown'})`,
  );
  const failure = await Promise.race([process.hello, exited, late]);
  clearTimeout(timer);
  if (typeof failure === 'string') throw new Error(`the bootstrap ${failure}`);
}
